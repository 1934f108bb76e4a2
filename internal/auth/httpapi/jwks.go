package httpapi

import (
	"context"
	"net/http"

	"turnero/internal/auth"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

// jwkBody is a public key (RFC 7517, members of an Ed25519 key by RFC 8037 section 2).
type jwkBody struct {
	KeyType   string `json:"kty" enum:"OKP"`
	Curve     string `json:"crv" enum:"Ed25519"`
	X         string `json:"x"`
	KeyID     string `json:"kid"`
	Use       string `json:"use" enum:"sig"`
	Algorithm string `json:"alg" enum:"EdDSA"`
}

type jwksOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Keys []jwkBody `json:"keys" nullable:"false"`
	}
}

func registerKeys(api *httpkit.API, svc *auth.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "get-jwks", Method: http.MethodGet, Path: "/.well-known/jwks.json", Tag: tag, Public: true,
		Summary: "The public keys that verify access tokens"},
		func(ctx context.Context, _ id.Principal, _ *struct{}) (*jwksOutput, error) {
			keys, err := svc.PublicKeys(ctx)
			if err != nil {
				return nil, err
			}
			out := &jwksOutput{CacheControl: "public, max-age=60"}
			for _, k := range keys {
				out.Body.Keys = append(out.Body.Keys, jwkBody{KeyType: "OKP", Curve: "Ed25519", X: k.X, KeyID: k.KID, Use: "sig", Algorithm: "EdDSA"})
			}
			return out, nil
		})
}
