package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/whatsapp"
)

type messagesInput struct {
	httpkit.PageInput
	ChatInput
}

type messagesOutput struct{ Body httpkit.Page[messageBody] }

type messageInput struct {
	ChatInput
	Message string `path:"messageId" maxLength:"100"`
}

type messageOutput struct{ Body messageBody }

type sendInput struct {
	ChatInput
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"a repeated request with the same key, chat and text gives the message made by the first, as it is now"`
	Prefer         string `header:"Prefer" doc:"wait=N waits up to N seconds, at most 30, for the outcome (RFC 7240)" example:"wait=10"`
	Body           struct {
		Type string `json:"type,omitempty" enum:"text" default:"text"`
		Text string `json:"text" minLength:"1" maxLength:"4096" example:"¡Hola! ¿En qué podemos ayudarte?"`
	}
}

type sendOutput struct {
	Status   int
	Location string `header:"Location"`
	Applied  string `header:"Preference-Applied"`
	Body     messageBody
}

func registerMessages(api *httpkit.API, svc *whatsapp.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-messages", Method: http.MethodGet, Path: "/api/chats/{chatId}/messages", Tag: tag, Roles: people, Scope: readChats,
		Summary: "List the messages of a chat, newest first", Errors: []int{http.StatusNotFound}}, listMessages(svc))
	httpkit.Handle(api, httpkit.Op{ID: "get-message", Method: http.MethodGet, Path: "/api/chats/{chatId}/messages/{messageId}", Tag: tag, Roles: people, Scope: readChats,
		Summary: "One message, as it is now", Errors: []int{http.StatusNotFound}}, getMessage(svc))
	httpkit.Handle(api, httpkit.Op{ID: "send-message", Method: http.MethodPost, Path: "/api/chats/{chatId}/messages", Tag: tag, Roles: people, Scope: writeChats,
		Status: http.StatusAccepted, Timeout: whatsapp.MaxWait + 5*time.Second, Errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
		Summary: "Send a text",
		Description: "202 says that the message is kept and will be sent, in the order of its chat, even if the line is offline now. " +
			"With `Prefer: wait=N` the answer waits for the outcome: 200 when there is one. A line that is not linked answers 503 `session_not_linked`. " +
			"A number that nobody wrote from begins a chat."},
		sendMessage(svc))
}

func listMessages(svc *whatsapp.Service) func(context.Context, id.Principal, *messagesInput) (*messagesOutput, error) {
	return func(ctx context.Context, p id.Principal, in *messagesInput) (*messagesOutput, error) {
		session, err := in.session()
		if err != nil {
			return nil, err
		}
		var before whatsapp.MessageCursor
		if err = httpkit.DecodeCursor(in.Cursor, &before); err != nil {
			return nil, err
		}
		found, err := svc.ListMessages(ctx, p, session, in.Chat, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		page := found[:min(len(found), in.Limit)]
		out := &messagesOutput{httpkit.Page[messageBody]{Items: mapped(page, messageOf)}}
		if len(found) > in.Limit {
			last := page[len(page)-1]
			out.Body.NextCursor = httpkit.EncodeCursor(whatsapp.MessageCursor{Pos: last.Pos, ID: last.ID})
		}
		return out, nil
	}
}

func getMessage(svc *whatsapp.Service) func(context.Context, id.Principal, *messageInput) (*messageOutput, error) {
	return func(ctx context.Context, p id.Principal, in *messageInput) (*messageOutput, error) {
		session, err := in.session()
		if err != nil {
			return nil, err
		}
		message, err := id.ParseMessage(in.Message)
		if err != nil {
			return nil, fault.NotFoundf("message")
		}
		m, err := svc.FindMessage(ctx, p, session, in.Chat, message)
		if err != nil {
			return nil, err
		}
		return &messageOutput{messageOf(m)}, nil
	}
}

func sendMessage(svc *whatsapp.Service) func(context.Context, id.Principal, *sendInput) (*sendOutput, error) {
	return func(ctx context.Context, p id.Principal, in *sendInput) (*sendOutput, error) {
		session, err := in.session()
		if err != nil {
			return nil, err
		}
		wait := waitOf(in.Prefer)
		m, err := svc.Queue(ctx, p, whatsapp.SendCommand{Session: session, Chat: in.Chat, Text: in.Body.Text, Key: in.IdempotencyKey, Wait: wait})
		if err != nil {
			return nil, err
		}
		out := &sendOutput{Status: http.StatusAccepted, Location: "/api/chats/" + m.ChatID.String() + "/messages/" + m.ID.String(), Body: messageOf(m)}
		if wait > 0 {
			out.Applied = "wait=" + strconv.Itoa(int(wait.Seconds()))
			if m.Status != whatsapp.MessageQueued {
				out.Status = http.StatusOK
			}
		}
		return out, nil
	}
}

// waitOf reads the wait preference (RFC 7240 section 4.3). What is malformed is ignored, as section 2 asks.
func waitOf(prefer string) time.Duration {
	for part := range strings.SplitSeq(prefer, ",") {
		part, _, _ = strings.Cut(part, ";")
		name, value, _ := strings.Cut(part, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		seconds, err := strconv.Atoi(strings.Trim(strings.TrimSpace(value), `"`))
		if err != nil || seconds < 1 {
			return 0
		}
		return time.Duration(min(seconds, int(whatsapp.MaxWait.Seconds()))) * time.Second
	}
	return 0
}
