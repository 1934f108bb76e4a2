package httpapi

import (
	"context"
	"net/http"
	"reflect"

	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/whatsapp"
)

type chatOutput struct{ Body chatBody }

type chatsInput struct {
	httpkit.PageInput
	SessionInput
	Kind []string `query:"kind" enum:"direct,group,status,channel" maxItems:"4" doc:"people and groups when absent"`
}

type chatsOutput struct{ Body httpkit.Page[chatBody] }

type typingInput struct {
	ChatInput
	Body *struct {
		On *bool `json:"on,omitempty" doc:"false hides it again; true when absent"`
	}
}

func registerChats(api *httpkit.API, svc *whatsapp.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-chats", Method: http.MethodGet, Path: "/api/chats", Tag: tag, Roles: people, Scope: readChats,
		Summary: "List the chats that the caller may see, newest first", Errors: []int{http.StatusNotFound}}, listChats(svc))
	httpkit.Handle(api, httpkit.Op{ID: "get-chat", Method: http.MethodGet, Path: "/api/chats/{chatId}", Tag: tag, Roles: people, Scope: readChats,
		Summary: "One chat", Errors: []int{http.StatusNotFound}},
		func(ctx context.Context, p id.Principal, in *ChatInput) (*chatOutput, error) {
			session, err := in.session()
			if err != nil {
				return nil, err
			}
			e, err := svc.FindChat(ctx, p, session, in.Chat)
			if err != nil {
				return nil, err
			}
			return &chatOutput{chatOf(e, svc.Now())}, nil
		})
	httpkit.Handle(api, httpkit.Op{ID: "mark-chat-read", Method: http.MethodPost, Path: "/api/chats/{chatId}/read", Tag: tag, Roles: people, Scope: writeChats,
		Summary: "Say that the chat was read", Errors: []int{http.StatusNotFound}, Description: "While the line is connected, the sender sees it too."},
		onChat(svc.MarkRead))
	httpkit.Handle(api, httpkit.Op{ID: "show-typing", Method: http.MethodPost, Path: "/api/chats/{chatId}/typing", Tag: tag, Roles: people, Scope: writeChats,
		Summary: "Show or hide “typing…” in the chat", Errors: []int{http.StatusNotFound, http.StatusServiceUnavailable}},
		func(ctx context.Context, p id.Principal, in *typingInput) (*struct{}, error) {
			session, err := in.session()
			if err != nil {
				return nil, err
			}
			isOn := in.Body == nil || in.Body.On == nil || *in.Body.On
			return nil, svc.Typing(ctx, p, session, in.Chat, isOn)
		})
	httpkit.Handle(api, httpkit.Op{ID: "hand-off-chat", Method: http.MethodPost, Path: "/api/chats/{chatId}/handoff", Tag: tag, Roles: people, Scope: writeChats,
		Summary: "Give the chat to the staff until it is released: the bot is silent in it", Errors: []int{http.StatusNotFound}}, changeMode(svc, svc.HandOff))
	httpkit.Handle(api, httpkit.Op{ID: "release-chat", Method: http.MethodPost, Path: "/api/chats/{chatId}/release", Tag: tag, Roles: people, Scope: writeChats,
		Summary: "Give the chat back to the bot", Errors: []int{http.StatusNotFound}}, changeMode(svc, svc.Release))
}

func listChats(svc *whatsapp.Service) func(context.Context, id.Principal, *chatsInput) (*chatsOutput, error) {
	return func(ctx context.Context, p id.Principal, in *chatsInput) (*chatsOutput, error) {
		session, err := in.session()
		if err != nil {
			return nil, err
		}
		q := whatsapp.ChatQuery{Session: session, Limit: in.Limit + 1}
		for _, kind := range in.Kind {
			q.Kinds = append(q.Kinds, whatsapp.ChatKind(kind))
		}
		if err = httpkit.DecodeCursor(in.Cursor, &q.Before); err != nil {
			return nil, err
		}
		found, err := svc.ListChats(ctx, p, q)
		if err != nil {
			return nil, err
		}
		now := svc.Now()
		page := found[:min(len(found), in.Limit)]
		out := &chatsOutput{httpkit.Page[chatBody]{Items: mapped(page, func(e whatsapp.ChatEntry) chatBody { return chatOf(e, now) })}}
		if len(found) > in.Limit {
			last := page[len(page)-1]
			out.Body.NextCursor = httpkit.EncodeCursor(whatsapp.ChatCursor{Pos: last.LastPos, ID: last.ID})
		}
		return out, nil
	}
}

// onChat makes the handler of an operation on one chat that answers nothing.
func onChat(do func(context.Context, id.Principal, id.Session, string) error) func(context.Context, id.Principal, *ChatInput) (*struct{}, error) {
	return func(ctx context.Context, p id.Principal, in *ChatInput) (*struct{}, error) {
		session, err := in.session()
		if err != nil {
			return nil, err
		}
		return nil, do(ctx, p, session, in.Chat)
	}
}

// changeMode makes the handler of an operation that decides who answers in a chat.
func changeMode(svc *whatsapp.Service, do func(context.Context, id.Principal, id.Session, string) (whatsapp.Chat, error)) func(context.Context, id.Principal, *ChatInput) (*chatOutput, error) {
	return func(ctx context.Context, p id.Principal, in *ChatInput) (*chatOutput, error) {
		session, err := in.session()
		if err != nil {
			return nil, err
		}
		c, err := do(ctx, p, session, in.Chat)
		if err != nil {
			return nil, err
		}
		return &chatOutput{chatOf(whatsapp.ChatEntry{Chat: c}, svc.Now())}, nil
	}
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
