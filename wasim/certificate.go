package wasim

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow/proto/waCert"
	"go.mau.fi/whatsmeow/util/keys"
	"google.golang.org/protobuf/proto"
)

// The certificates carry fixed dates, so that a network with a moved clock is still accepted by clients that check against
// the machine's clock.
var (
	certNotBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	certNotAfter  = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Serial numbers of the chain. Clients expect the intermediate certificate to be issued by serial 0, the root.
const (
	serialRoot uint32 = iota
	serialIntermediate
	serialLeaf
)

// RootKeyFor returns the public key of the Noise root of every network with the given seed: what a client must trust in
// place of WhatsApp's own.
func RootKeyFor(seed string) [32]byte {
	return *deriveKey(networkSecret(seed), "noise root").Pub
}

// networkSecret is the secret from which all long-lived keys of a network follow.
func networkSecret(seed string) [32]byte { return sha256.Sum256([]byte("wasim network\x00" + seed)) }

// derive expands the network's secret into 32 bytes for one purpose.
func derive(secret [32]byte, purpose string) [32]byte {
	h := hmac.New(sha256.New, secret[:])
	h.Write([]byte(purpose))
	return [32]byte(h.Sum(nil))
}

// deriveKey makes the Curve25519 key pair of one purpose.
func deriveKey(secret [32]byte, purpose string) *keys.KeyPair {
	k := derive(secret, purpose)
	k[0] &= 248
	k[31] &= 127
	k[31] |= 64
	return keys.NewKeyPairFromPrivateKey(k)
}

// authority holds what the server shows in a handshake: its static key and the certificate chain that vouches for it.
type authority struct {
	root   [32]byte
	static *keys.KeyPair
	chain  []byte
}

func newAuthority(secret [32]byte) (*authority, error) {
	root := deriveKey(secret, "noise root")
	intermediate := deriveKey(secret, "noise intermediate")
	static := deriveKey(secret, "noise static")
	middle, err := certify(root, intermediate, serialIntermediate, serialRoot)
	if err != nil {
		return nil, err
	}
	leaf, err := certify(intermediate, static, serialLeaf, serialIntermediate)
	if err != nil {
		return nil, err
	}
	chain, err := proto.Marshal(&waCert.CertChain{Leaf: leaf, Intermediate: middle})
	if err != nil {
		return nil, fmt.Errorf("encode certificate chain: %w", err)
	}
	return &authority{root: *root.Pub, static: static, chain: chain}, nil
}

func certify(issuer, subject *keys.KeyPair, serial, issuerSerial uint32) (*waCert.CertChain_NoiseCertificate, error) {
	details, err := proto.Marshal(&waCert.CertChain_NoiseCertificate_Details{
		Serial:       proto.Uint32(serial),
		IssuerSerial: proto.Uint32(issuerSerial),
		Key:          subject.Pub[:],
		NotBefore:    proto.Uint64(uint64(certNotBefore.Unix())),
		NotAfter:     proto.Uint64(uint64(certNotAfter.Unix())),
	})
	if err != nil {
		return nil, fmt.Errorf("encode certificate %d: %w", serial, err)
	}
	signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*issuer.Priv), details)
	return &waCert.CertChain_NoiseCertificate{Details: details, Signature: signature[:]}, nil
}
