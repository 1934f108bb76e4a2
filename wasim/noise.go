package wasim

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"go.mau.fi/whatsmeow/proto/waWa6"
	"google.golang.org/protobuf/proto"
)

// noisePattern names the handshake (Noise Protocol Framework, section 8), padded to the 32 bytes of its hash.
const noisePattern = "Noise_XX_25519_AESGCM_SHA256\x00\x00\x00\x00"

// handshake is the symmetric state of a Noise handshake (Noise Protocol Framework, section 5.2).
type handshake struct {
	hash    []byte
	salt    []byte
	aead    cipher.AEAD
	counter uint32
}

func newHandshake(prologue []byte) (*handshake, error) {
	aead, err := newGCM([]byte(noisePattern))
	if err != nil {
		return nil, err
	}
	h := &handshake{hash: []byte(noisePattern), salt: []byte(noisePattern), aead: aead}
	h.mixHash(prologue)
	return h, nil
}

func (h *handshake) mixHash(data []byte) {
	sum := sha256.New()
	sum.Write(h.hash)
	sum.Write(data)
	h.hash = sum.Sum(nil)
}

// mixKey folds a Diffie-Hellman result into the chaining key.
func (h *handshake) mixKey(private *ecdh.PrivateKey, public []byte) error {
	peer, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return err
	}
	secret, err := private.ECDH(peer)
	if err != nil {
		return err
	}
	salt, key, err := h.split(secret)
	if err != nil {
		return err
	}
	h.salt, h.counter = salt, 0
	h.aead, err = newGCM(key)
	return err
}

func (h *handshake) split(secret []byte) (first, second []byte, err error) {
	out, err := hkdf.Key(sha256.New, secret, h.salt, "", 64)
	if err != nil {
		return nil, nil, err
	}
	return out[:32], out[32:], nil
}

func (h *handshake) seal(plaintext []byte) []byte {
	ciphertext := h.aead.Seal(nil, nonce(h.counter), plaintext, h.hash)
	h.counter++
	h.mixHash(ciphertext)
	return ciphertext
}

func (h *handshake) open(ciphertext []byte) ([]byte, error) {
	plaintext, err := h.aead.Open(nil, nonce(h.counter), ciphertext, h.hash)
	if err != nil {
		return nil, err
	}
	h.counter++
	h.mixHash(ciphertext)
	return plaintext, nil
}

func nonce(counter uint32) []byte {
	n := make([]byte, 12)
	binary.BigEndian.PutUint32(n[8:], counter)
	return n
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// peer is what a client proved and said about itself in its handshake.
type peer struct {
	noise   [32]byte // its static key, by which a linked device is known
	payload *waWa6.ClientPayload
}

// transport is the encrypted stream after the handshake. One goroutine may read and one may write.
type transport struct {
	frames            *frameStream
	readKey, writeKey cipher.AEAD
	reads, writes     uint32
}

func (t *transport) read(ctx context.Context) ([]byte, error) {
	frame, err := t.frames.read(ctx)
	if err != nil {
		return nil, err
	}
	plaintext, err := t.readKey.Open(frame[:0], nonce(t.reads), frame, nil)
	if err != nil {
		return nil, fmt.Errorf("decrypt frame: %w", err)
	}
	t.reads++
	return plaintext, nil
}

func (t *transport) write(ctx context.Context, plaintext []byte) error {
	frame := make([]byte, frameLengthSize, frameLengthSize+len(plaintext)+t.writeKey.Overhead())
	frame = t.writeKey.Seal(frame, nonce(t.writes), plaintext, nil)
	t.writes++
	return t.frames.write(ctx, frame)
}

// respond is the server's half of the XX handshake: e, ee, s, es answered by s, se.
func respond(ctx context.Context, frames *frameStream, who *authority) (*transport, *peer, error) {
	var hello waWa6.HandshakeMessage
	if err := readHandshake(ctx, frames, &hello); err != nil {
		return nil, nil, fmt.Errorf("client hello: %w", err)
	}
	theirs := hello.GetClientHello().GetEphemeral()
	h, err := newHandshake(frames.prologue)
	if err != nil {
		return nil, nil, err
	}
	h.mixHash(theirs)
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	static, err := ecdh.X25519().NewPrivateKey(who.static.Priv[:])
	if err != nil {
		return nil, nil, err
	}
	h.mixHash(ephemeral.PublicKey().Bytes())
	if err = h.mixKey(ephemeral, theirs); err != nil {
		return nil, nil, fmt.Errorf("client hello: %w", err)
	}
	sealedStatic := h.seal(who.static.Pub[:])
	if err = h.mixKey(static, theirs); err != nil {
		return nil, nil, fmt.Errorf("client hello: %w", err)
	}
	if err = writeHandshake(ctx, frames, &waWa6.HandshakeMessage{ServerHello: &waWa6.HandshakeMessage_ServerHello{
		Ephemeral: ephemeral.PublicKey().Bytes(), Static: sealedStatic, Payload: h.seal(who.chain)}}); err != nil {
		return nil, nil, fmt.Errorf("server hello: %w", err)
	}
	return finish(ctx, frames, h, ephemeral)
}

func finish(ctx context.Context, frames *frameStream, h *handshake, ephemeral *ecdh.PrivateKey) (*transport, *peer, error) {
	var message waWa6.HandshakeMessage
	if err := readHandshake(ctx, frames, &message); err != nil {
		return nil, nil, fmt.Errorf("client finish: %w", err)
	}
	static, err := h.open(message.GetClientFinish().GetStatic())
	if err != nil || len(static) != 32 {
		return nil, nil, errors.New("client finish: the static key does not open")
	}
	if err = h.mixKey(ephemeral, static); err != nil {
		return nil, nil, fmt.Errorf("client finish: %w", err)
	}
	raw, err := h.open(message.GetClientFinish().GetPayload())
	if err != nil {
		return nil, nil, errors.New("client finish: the payload does not open")
	}
	p := &peer{noise: [32]byte(static), payload: &waWa6.ClientPayload{}}
	if err = proto.Unmarshal(raw, p.payload); err != nil {
		return nil, nil, fmt.Errorf("client payload: %w", err)
	}
	toServer, toClient, err := h.split(nil)
	if err != nil {
		return nil, nil, err
	}
	t := &transport{frames: frames}
	if t.readKey, err = newGCM(toServer); err != nil {
		return nil, nil, err
	}
	if t.writeKey, err = newGCM(toClient); err != nil {
		return nil, nil, err
	}
	return t, p, nil
}

func readHandshake(ctx context.Context, frames *frameStream, m *waWa6.HandshakeMessage) error {
	raw, err := frames.read(ctx)
	if err != nil {
		return err
	}
	return proto.Unmarshal(raw, m)
}

func writeHandshake(ctx context.Context, frames *frameStream, m *waWa6.HandshakeMessage) error {
	raw, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	return frames.write(ctx, append(make([]byte, frameLengthSize), raw...))
}
