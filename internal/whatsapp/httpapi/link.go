package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/skip2/go-qrcode"

	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/whatsapp"
)

// qrSize is the edge of the picture in pixels; a phone reads it well off a screen.
const qrSize = 320

type qrInput struct {
	SessionInput
	Accept string `header:"Accept" doc:"application/json for the text of the code, image/png (the default) for its picture"`
}

type qrOutput struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	Vary         string `header:"Vary"`
	Body         []byte
}

type qrBody struct {
	QR        string    `json:"qr" doc:"what the picture holds"`
	ExpiresAt time.Time `json:"expiresAt" doc:"another code takes its place then"`
}

type pairInput struct {
	SessionInput
	Body struct {
		Phone string `json:"phone" maxLength:"40" doc:"number of the phone on which the code is typed" example:"+5491122334455"`
	}
}

type pairOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Code string `json:"code" example:"ABCD-EFGH"`
	}
}

func registerLinking(api *httpkit.API, svc *whatsapp.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "get-session-qr", Method: http.MethodGet, Path: "/api/whatsapp/qr", Tag: tag, Roles: admins, Scope: writeLines,
		Summary: "The QR to be scanned with the phone, as a picture or as text", Errors: []int{http.StatusNotFound, http.StatusConflict},
		Description: "409 says why there is none: `qr_not_ready` (ask again in a moment), `qr_not_available` (start the line first) or `already_linked`."},
		func(ctx context.Context, p id.Principal, in *qrInput) (*qrOutput, error) {
			session, err := in.session()
			if err != nil {
				return nil, err
			}
			code, err := svc.QR(ctx, p, session)
			if err != nil {
				return nil, err
			}
			return qrOf(code, prefersJSON(in.Accept))
		})
	describeQR(api)
	httpkit.Handle(api, httpkit.Op{ID: "get-session-pair-code", Method: http.MethodPost, Path: "/api/whatsapp/pair-code", Tag: tag, Roles: admins, Scope: writeLines,
		Summary: "A code that links the phone when it is typed there", Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}},
		func(ctx context.Context, p id.Principal, in *pairInput) (*pairOutput, error) {
			session, err := in.session()
			if err != nil {
				return nil, err
			}
			code, err := svc.PairCode(ctx, p, session, in.Body.Phone)
			if err != nil {
				return nil, err
			}
			out := &pairOutput{CacheControl: "no-store"}
			out.Body.Code = code
			return out, nil
		})
}

func qrOf(code whatsapp.QRCode, asJSON bool) (*qrOutput, error) {
	out := &qrOutput{ContentType: "image/png", CacheControl: "no-store", Vary: "Accept"}
	var err error
	if asJSON {
		out.ContentType = "application/json"
		out.Body, err = json.Marshal(qrBody{code.Text, code.ExpiresAt})
	} else if out.Body, err = qrcode.Encode(code.Text, qrcode.Medium, qrSize); err != nil {
		err = fmt.Errorf("draw QR: %w", err)
	}
	return out, err
}

// describeQR puts both forms of the answer into the document, which derives one from the type.
func describeQR(api *httpkit.API) {
	doc := api.OpenAPI()
	ok := doc.Paths["/api/whatsapp/qr"].Get.Responses["200"]
	ok.Content = map[string]*huma.MediaType{
		"image/png":        {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		"application/json": {Schema: huma.SchemaFromType(doc.Components.Schemas, typeOf[qrBody]())},
	}
}

// prefersJSON reads an Accept header (RFC 9110 section 12.5.1): the picture unless JSON is named with a higher weight.
func prefersJSON(accept string) bool {
	asJSON, asPicture := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		media, params, _ := strings.Cut(part, ";")
		weight := weightOf(params)
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "application/json", "application/*":
			asJSON = max(asJSON, weight)
		case "image/png", "image/*":
			asPicture = max(asPicture, weight)
		}
	}
	return asJSON > asPicture
}

// weightOf reads the q parameter; without one the weight is 1.
func weightOf(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || q < 0 || q > 1 {
				return 0
			}
			return q
		}
	}
	return 1
}
