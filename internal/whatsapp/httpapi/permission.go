package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/whatsapp"
)

type permissionInput struct {
	ChatInput
	User string `path:"userId" maxLength:"100"`
}

type permissionBody struct {
	UserID    string    `json:"userId"`
	GrantedBy string    `json:"grantedBy" doc:"the user or API key that granted it"`
	GrantedAt time.Time `json:"grantedAt"`
}

type permissionsOutput struct{ Body httpkit.Page[permissionBody] }

func registerPermissions(api *httpkit.API, svc *whatsapp.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-chat-permissions", Method: http.MethodGet, Path: "/api/chats/{chatId}/permissions", Tag: tag, Roles: admins, Scope: grantChats,
		Summary: "List the employees who may see the chat", Errors: []int{http.StatusNotFound}},
		func(ctx context.Context, p id.Principal, in *ChatInput) (*permissionsOutput, error) {
			session, err := in.session()
			if err != nil {
				return nil, err
			}
			list, err := svc.ListPermissions(ctx, p, session, in.Chat)
			if err != nil {
				return nil, err
			}
			return &permissionsOutput{httpkit.Page[permissionBody]{Items: mapped(list, func(v whatsapp.Permission) permissionBody {
				return permissionBody{UserID: v.User.String(), GrantedBy: v.GrantedBy, GrantedAt: v.GrantedAt}
			})}}, nil
		})
	httpkit.Handle(api, httpkit.Op{ID: "grant-chat", Method: http.MethodPut, Path: "/api/chats/{chatId}/permissions/{userId}", Tag: tag, Roles: admins, Scope: grantChats,
		Summary: "Let an employee see and answer the chat", Errors: []int{http.StatusNotFound}}, onPermission(svc.Grant))
	httpkit.Handle(api, httpkit.Op{ID: "revoke-chat", Method: http.MethodDelete, Path: "/api/chats/{chatId}/permissions/{userId}", Tag: tag, Roles: admins, Scope: grantChats,
		Summary: "Take the permission back", Errors: []int{http.StatusNotFound}}, onPermission(svc.Revoke))
}

func onPermission(do func(context.Context, id.Principal, id.Session, string, id.User) error) func(context.Context, id.Principal, *permissionInput) (*struct{}, error) {
	return func(ctx context.Context, p id.Principal, in *permissionInput) (*struct{}, error) {
		session, err := in.session()
		if err != nil {
			return nil, err
		}
		user, err := id.ParseUser(in.User)
		if err != nil {
			return nil, fault.NotFoundf("user")
		}
		return nil, do(ctx, p, session, in.Chat, user)
	}
}
