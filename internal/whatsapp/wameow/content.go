package wameow

import (
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"
)

// textMessage is what a text looks like on the wire. A text that is asked for again must come out the same.
func textMessage(text string) *waE2E.Message {
	return &waE2E.Message{Conversation: proto.String(text)}
}

// contentOf tells what a message is and the text or caption that it carries. ok is false for what nobody reads as a message:
// the distribution of keys, edits, deletions, votes, settings of the chat.
func contentOf(m *waE2E.Message) (kind, text string, ok bool) {
	if m == nil {
		return "", "", false
	}
	if kind, text, ok = writtenContent(m); ok {
		return kind, text, true
	}
	switch {
	case m.ImageMessage != nil:
		return "image", m.ImageMessage.GetCaption(), true
	case m.VideoMessage != nil:
		return "video", m.VideoMessage.GetCaption(), true
	case m.PtvMessage != nil:
		return "video", m.PtvMessage.GetCaption(), true
	case m.AudioMessage != nil:
		return "audio", "", true
	case m.DocumentMessage != nil:
		return "document", firstOf(m.DocumentMessage.GetCaption(), m.DocumentMessage.GetFileName()), true
	case m.StickerMessage != nil:
		return "sticker", "", true
	case m.LocationMessage != nil:
		return "location", firstOf(m.LocationMessage.GetName(), m.LocationMessage.GetAddress()), true
	case m.LiveLocationMessage != nil:
		return "location", m.LiveLocationMessage.GetCaption(), true
	case m.ContactMessage != nil:
		return "contact", m.ContactMessage.GetDisplayName(), true
	case m.ContactsArrayMessage != nil:
		return "contact", m.ContactsArrayMessage.GetDisplayName(), true
	case m.ReactionMessage != nil:
		return "reaction", m.ReactionMessage.GetText(), true
	case m.PollCreationMessage != nil:
		return "poll", m.PollCreationMessage.GetName(), true
	case m.PollCreationMessageV2 != nil:
		return "poll", m.PollCreationMessageV2.GetName(), true
	case m.PollCreationMessageV3 != nil:
		return "poll", m.PollCreationMessageV3.GetName(), true
	case m.Call != nil, m.CallLogMesssage != nil:
		return "call", "", true
	}
	return "unknown", "", !isSilent(m)
}

// writtenContent covers the forms in which a person's own words or choice arrive.
func writtenContent(m *waE2E.Message) (kind, text string, ok bool) {
	switch {
	case m.Conversation != nil:
		return "text", m.GetConversation(), true
	case m.ExtendedTextMessage != nil:
		return "text", m.ExtendedTextMessage.GetText(), true
	case m.ButtonsResponseMessage != nil:
		return "text", m.ButtonsResponseMessage.GetSelectedDisplayText(), true
	case m.ListResponseMessage != nil:
		return "text", m.ListResponseMessage.GetTitle(), true
	case m.TemplateButtonReplyMessage != nil:
		return "text", m.TemplateButtonReplyMessage.GetSelectedDisplayText(), true
	}
	return "", "", false
}

// isSilent reports whether a message without content of its own shows nothing in a chat: it only hands keys over or changes
// something that is already there.
func isSilent(m *waE2E.Message) bool {
	switch {
	case m.ProtocolMessage != nil, m.PollUpdateMessage != nil, m.EncReactionMessage != nil, m.EncCommentMessage != nil,
		m.KeepInChatMessage != nil, m.PinInChatMessage != nil, m.EditedMessage != nil, m.SecretEncryptedMessage != nil:
		return true
	}
	rest := proto.Clone(m).(*waE2E.Message)
	rest.MessageContextInfo, rest.SenderKeyDistributionMessage, rest.FastRatchetKeySenderKeyDistributionMessage = nil, nil, nil
	return proto.Size(rest) == 0
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
