package wasim

import (
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Media describes a file that came with a message. Network.Download opens it.
type Media struct {
	MimeType string `json:"mimeType"`
	FileName string `json:"fileName,omitempty"`
	Size     uint64 `json:"size"`
}

// describeMessage says what a message is, its words, and its file.
func describeMessage(m *waE2E.Message) (kind, words string, media *Media) {
	m = innermost(m)
	switch {
	case m.Conversation != nil:
		return "text", m.GetConversation(), nil
	case m.ExtendedTextMessage != nil:
		return "text", m.GetExtendedTextMessage().GetText(), nil
	case m.ImageMessage != nil:
		x := m.GetImageMessage()
		return "image", x.GetCaption(), &Media{MimeType: x.GetMimetype(), Size: x.GetFileLength()}
	case m.VideoMessage != nil:
		x := m.GetVideoMessage()
		return "video", x.GetCaption(), &Media{MimeType: x.GetMimetype(), Size: x.GetFileLength()}
	case m.AudioMessage != nil:
		x := m.GetAudioMessage()
		return "audio", "", &Media{MimeType: x.GetMimetype(), Size: x.GetFileLength()}
	case m.DocumentMessage != nil:
		x := m.GetDocumentMessage()
		return "document", x.GetCaption(), &Media{MimeType: x.GetMimetype(), FileName: x.GetFileName(), Size: x.GetFileLength()}
	case m.StickerMessage != nil:
		x := m.GetStickerMessage()
		return "sticker", "", &Media{MimeType: x.GetMimetype(), Size: x.GetFileLength()}
	case m.LocationMessage != nil:
		return "location", m.GetLocationMessage().GetName(), nil
	case m.ContactMessage != nil:
		return "contact", m.GetContactMessage().GetDisplayName(), nil
	case m.ReactionMessage != nil:
		return "reaction", m.GetReactionMessage().GetText(), nil
	case m.PollCreationMessage != nil:
		return "poll", m.GetPollCreationMessage().GetName(), nil
	case m.PollCreationMessageV3 != nil:
		return "poll", m.GetPollCreationMessageV3().GetName(), nil
	case m.ProtocolMessage != nil:
		return describeProtocol(m.GetProtocolMessage())
	}
	return "unknown", "", nil
}

func describeProtocol(p *waE2E.ProtocolMessage) (kind, words string, media *Media) {
	switch p.GetType() {
	case waE2E.ProtocolMessage_REVOKE:
		return "revoke", p.GetKey().GetID(), nil
	case waE2E.ProtocolMessage_MESSAGE_EDIT:
		_, words, media = describeMessage(p.GetEditedMessage())
		return "edit", words, media
	}
	return "unknown", "", nil
}

// innermost opens the wrappers that messages come in.
func innermost(m *waE2E.Message) *waE2E.Message {
	for m != nil {
		var inner *waE2E.Message
		for _, wrapper := range []*waE2E.FutureProofMessage{m.GetEphemeralMessage(), m.GetViewOnceMessage(), m.GetViewOnceMessageV2(),
			m.GetDocumentWithCaptionMessage(), m.GetEditedMessage()} {
			if wrapper.GetMessage() != nil {
				inner = wrapper.GetMessage()
				break
			}
		}
		if inner == nil {
			return m
		}
		m = inner
	}
	return &waE2E.Message{}
}

// kindOf is the type that a message with a file has for the network.
func kindOf(m *waE2E.Message) string {
	kind, _, _ := describeMessage(m)
	return kind
}

// hasBody says whether a message has something to show beside keys and what goes on between devices.
func hasBody(m *waE2E.Message) bool {
	if kind, _, _ := describeMessage(m); kind != "unknown" {
		return true
	}
	found := false
	m.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		switch field.Name() {
		case "senderKeyDistributionMessage", "messageContextInfo", "protocolMessage":
			return true
		}
		found = true
		return false
	})
	return found
}

// stanzaType is the type attribute of a <message> that carries a message.
func stanzaType(m *waE2E.Message) string {
	kind, _, media := describeMessage(m)
	switch {
	case media != nil:
		return "media"
	case kind == "reaction" || kind == "poll":
		return kind
	}
	return "text"
}
