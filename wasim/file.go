package wasim

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/util/cbcutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
	"google.golang.org/protobuf/proto"
)

// File is a file to be sent with a message.
type File struct {
	Kind     string // image, video, audio, document or sticker
	MimeType string
	Name     string // for documents
	Data     []byte
}

// Kinds of media, with what their keys are derived for.
var mediaKeyInfo = map[string]string{"image": "WhatsApp Image Keys", "sticker": "WhatsApp Image Keys", "video": "WhatsApp Video Keys",
	"audio": "WhatsApp Audio Keys", "document": "WhatsApp Document Keys"}

// sealedFile is a file as it lies on a media server, with what opens it.
type sealedFile struct {
	path               string
	key, hash, encHash []byte
	size               uint64
}

// sealFile encrypts a file as senders do and puts it on the media server.
func (n *Network) sealFile(f File) (*sealedFile, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	expanded := hkdfutil.SHA256(key, nil, []byte(mediaKeyInfo[f.Kind]), 112)
	iv, cipherKey, macKey := expanded[:16], expanded[16:48], expanded[48:80]
	ciphertext, err := cbcutil.Encrypt(cipherKey, iv, f.Data)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, macKey)
	mac.Write(iv)
	mac.Write(ciphertext)
	blob := append(ciphertext, mac.Sum(nil)[:10]...)
	hash, encHash := sha256.Sum256(f.Data), sha256.Sum256(blob)
	token := base64.URLEncoding.EncodeToString(encHash[:])
	if err = n.media.put(token, blob); err != nil {
		return nil, err
	}
	return &sealedFile{path: mediaPath(f.Kind, token), key: key, hash: hash[:], encHash: encHash[:], size: uint64(len(f.Data))}, nil
}

// openFile decrypts a file from the media server.
func (n *Network) openFile(kind string, key, encHash []byte) ([]byte, error) {
	blob := n.media.get(base64.URLEncoding.EncodeToString(encHash))
	if len(blob) < 10 || len(key) == 0 {
		return nil, ErrNotFound.because("id", "the file is not on the media server")
	}
	expanded := hkdfutil.SHA256(key, nil, []byte(mediaKeyInfo[kind]), 112)
	iv, cipherKey, macKey := expanded[:16], expanded[16:48], expanded[48:80]
	ciphertext, tag := blob[:len(blob)-10], blob[len(blob)-10:]
	mac := hmac.New(sha256.New, macKey)
	mac.Write(iv)
	mac.Write(ciphertext)
	if !hmac.Equal(mac.Sum(nil)[:10], tag) {
		return nil, errors.New("the file's authentication code is wrong")
	}
	return cbcutil.Decrypt(cipherKey, iv, ciphertext)
}

func (s *sealedFile) message(f File, caption string) *waE2E.Message {
	url, path := proto.String("https://"+mediaHost+s.path), proto.String(s.path)
	mime, size := proto.String(f.MimeType), proto.Uint64(s.size)
	switch f.Kind {
	case "image":
		return &waE2E.Message{ImageMessage: &waE2E.ImageMessage{URL: url, DirectPath: path, Mimetype: mime, FileLength: size, Caption: proto.String(caption),
			MediaKey: s.key, FileSHA256: s.hash, FileEncSHA256: s.encHash}}
	case "video":
		return &waE2E.Message{VideoMessage: &waE2E.VideoMessage{URL: url, DirectPath: path, Mimetype: mime, FileLength: size, Caption: proto.String(caption),
			MediaKey: s.key, FileSHA256: s.hash, FileEncSHA256: s.encHash}}
	case "audio":
		return &waE2E.Message{AudioMessage: &waE2E.AudioMessage{URL: url, DirectPath: path, Mimetype: mime, FileLength: size,
			MediaKey: s.key, FileSHA256: s.hash, FileEncSHA256: s.encHash}}
	case "sticker":
		return &waE2E.Message{StickerMessage: &waE2E.StickerMessage{URL: url, DirectPath: path, Mimetype: mime, FileLength: size,
			MediaKey: s.key, FileSHA256: s.hash, FileEncSHA256: s.encHash}}
	}
	return &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{URL: url, DirectPath: path, Mimetype: mime, FileLength: size, Caption: proto.String(caption),
		FileName: proto.String(f.Name), MediaKey: s.key, FileSHA256: s.hash, FileEncSHA256: s.encHash}}
}

// SendFile sends a file as the user of a phone and returns the message's ID. caption may be empty. Errors: as Write.
func (n *Network) SendFile(ctx context.Context, number, to, caption string, f File) (string, error) {
	return n.Write(ctx, number, Draft{To: to, Text: caption, File: &f})
}

// check completes a file and says what is wrong with it.
func (f *File) check() error {
	if mediaKeyInfo[f.Kind] == "" {
		return invalid("media.type", "must be image, video, audio, document or sticker")
	}
	if len(f.Data) == 0 {
		return invalid("media.data", "the file is empty")
	}
	if f.MimeType == "" {
		f.MimeType = http.DetectContentType(f.Data)
	}
	return nil
}

// Download returns the file of a message that a phone has, decrypted. Errors: ErrNotFound, ErrInvalid, ErrNoWhatsApp.
func (n *Network) Download(number, id string) ([]byte, Media, error) {
	a, err := n.phoneOf(number)
	if err != nil {
		return nil, Media{}, err
	}
	a.phone.mu.Lock()
	var found *entry
	for _, e := range a.phone.history.entries {
		if e.ID == id && e.Media != nil {
			found = e
		}
	}
	a.phone.mu.Unlock()
	body := &waE2E.Message{}
	if found == nil || proto.Unmarshal(found.Content, body) != nil {
		return nil, Media{}, ErrNotFound.because("id", "the phone has no message %s with a file", id)
	}
	key, hash := fileKeys(innermost(body))
	data, err := n.openFile(found.Type, key, hash)
	return data, *found.Media, err
}

// fileKeys returns what opens and what names the file of a message.
func fileKeys(m *waE2E.Message) (key, encHash []byte) {
	type file interface {
		GetMediaKey() []byte
		GetFileEncSHA256() []byte
	}
	for _, f := range []file{m.GetImageMessage(), m.GetVideoMessage(), m.GetAudioMessage(), m.GetDocumentMessage(), m.GetStickerMessage()} {
		if len(f.GetMediaKey()) > 0 {
			return f.GetMediaKey(), f.GetFileEncSHA256()
		}
	}
	return nil, nil
}
