package wasim

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strconv"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waServerSync"
	"go.mau.fi/whatsmeow/store"
	waLog "go.mau.fi/whatsmeow/util/log"
	"google.golang.org/protobuf/proto"
)

// appState is what an account's devices share beside messages: the push name, muted chats and the like. It consists of
// collections, each a list of encrypted patches that every device applies in order; the phone makes the key and checks every
// patch. The phone's lock guards it.
type appState struct {
	phone       *phone
	keyID       []byte
	key         store.AppStateSyncKey
	processor   *appstate.Processor
	collections map[string]*collection
	macs        map[string][]byte // by collection and index, as the processor wants to find them again
}

type collection struct {
	state   appstate.HashState
	patches [][]byte
}

// appStateOf returns the phone's app state, making it on first use with the push name in it. The caller holds p.mu.
func (p *phone) appStateOf(ctx context.Context, c *changes) (*appState, error) {
	if p.state != nil && p.state.collections[string(appstate.WAPatchCriticalBlock)] != nil {
		return p.state, nil
	}
	if p.state == nil {
		p.state = newAppState(p)
	}
	return p.state, p.state.setName(ctx, p.account.displayName(), c)
}

func newAppState(p *phone) *appState {
	secret, number := p.account.net.secret, p.account.number()
	key, id := derive(secret, "app state key "+number), derive(secret, "app state key ID "+number)
	s := &appState{phone: p, keyID: append([]byte{0, 0}, id[:4]...), collections: map[string]*collection{}, macs: map[string][]byte{},
		key: store.AppStateSyncKey{Data: key[:], Timestamp: certNotBefore.UnixMilli()}}
	s.processor = appstate.NewProcessor(&store.Device{AppStateKeys: s, AppState: s}, waLog.Noop)
	return s
}

// setName appends a patch with the push name.
func (s *appState) setName(ctx context.Context, name string, c *changes) error {
	block := string(appstate.WAPatchCriticalBlock)
	var state appstate.HashState
	if known := s.collections[block]; known != nil {
		state = known.state
	}
	patch, err := s.processor.EncodePatch(ctx, s.keyID, state, appstate.BuildSettingPushName(name))
	if err != nil {
		return fmt.Errorf("encode push name: %w", err)
	}
	return s.add(ctx, block, patch, c)
}

// add checks a patch, numbers it and appends it to its collection.
func (s *appState) add(ctx context.Context, name string, raw []byte, c *changes) error {
	known := s.collections[name]
	if known == nil {
		known = &collection{}
	}
	patch := &waServerSync.SyncdPatch{}
	if err := proto.Unmarshal(raw, patch); err != nil {
		return err
	}
	patch.Version = &waServerSync.SyncdVersion{Version: proto.Uint64(known.state.Version + 1)}
	_, state, err := s.processor.DecodePatches(ctx, &appstate.PatchList{Name: appstate.WAPatchName(name),
		Patches: []*waServerSync.SyncdPatch{patch}}, known.state, true)
	if err != nil {
		return err
	}
	numbered, err := proto.Marshal(patch)
	if err != nil {
		return err
	}
	known.state = state
	known.patches = append(known.patches, numbered)
	s.collections[name] = known
	if c != nil {
		c.put(fmt.Sprintf("app/%s/%s/%08d", s.phone.account.number(), name, state.Version), numbered)
	}
	return nil
}

// answerAppState gives a client the patches it does not have and takes the one it brings.
func (c *conn) answerAppState(n, child *node) error {
	p := c.device.account.phone
	var answers []node
	var moved []string
	p.mu.Lock()
	var kept changes
	s, err := p.appStateOf(c.net.ctx, &kept)
	if err == nil {
		for _, asked := range child.GetChildrenByTag("collection") {
			answer, isMoved := s.answer(c, &asked, &kept)
			answers = append(answers, answer)
			if isMoved {
				moved = append(moved, text(asked.Attrs["name"]))
			}
		}
	}
	generation := c.net.store.apply(kept)
	p.mu.Unlock()
	if err != nil {
		c.net.log.Error("app state failed", "device", c.device.label, "error", err)
		c.replyError(n, 500, "internal-server-error")
		return nil
	}
	if err = c.net.store.wait(generation); err != nil {
		return err
	}
	c.reply(n, node{Tag: "sync", Content: answers})
	return p.announceState(moved, c.device)
}

// answer deals with one collection of a client's request.
func (s *appState) answer(c *conn, asked *node, kept *changes) (answer node, isMoved bool) {
	name := text(asked.Attrs["name"])
	from, _ := strconv.ParseUint(text(asked.Attrs["version"]), 10, 64)
	known := s.collections[name]
	if known == nil {
		known = &collection{}
	}
	a := attrs{"name": name}
	if patch, ok := asked.GetOptionalChildByTag("patch"); ok {
		raw, _ := patch.Content.([]byte)
		switch {
		case from != known.state.Version:
			a["type"], a["version"] = "error", known.state.Version
			return node{Tag: "collection", Attrs: a, Content: []node{{Tag: "error", Attrs: attrs{"code": 409, "text": "conflict"}},
				known.since(from)}}, false
		default:
			if err := s.add(c.net.ctx, name, raw, kept); err != nil {
				c.net.log.Warn("app state patch refused", "device", c.device.label, "collection", name, "error", err)
				a["type"] = "error"
				return node{Tag: "collection", Attrs: a, Content: []node{{Tag: "error", Attrs: attrs{"code": 400, "text": "bad-request"}}}}, false
			}
			known, isMoved = s.collections[name], true
		}
	}
	a["version"] = known.state.Version
	return node{Tag: "collection", Attrs: a, Content: []node{known.since(from)}}, isMoved
}

func (c *collection) since(version uint64) node {
	var patches []node
	for v := version; v < uint64(len(c.patches)); v++ {
		patches = append(patches, node{Tag: "patch", Content: c.patches[v]})
	}
	return node{Tag: "patches", Content: patches}
}

// announceState tells the account's devices, but one, that collections have moved on.
func (p *phone) announceState(names []string, except *device) error {
	if len(names) == 0 {
		return nil
	}
	n := p.account.net
	var list []node
	p.mu.Lock()
	for _, name := range names {
		list = append(list, node{Tag: "collection", Attrs: attrs{"name": name, "version": p.state.collections[name].state.Version}})
	}
	p.mu.Unlock()
	out := n.newOutgoing()
	for _, d := range p.account.linked() {
		if d == except {
			continue
		}
		out.add(d, node{Tag: "notification", Attrs: attrs{"from": p.account.pn, "type": "server_sync", "id": n.newStanzaID(),
			"t": n.now().Unix()}, Content: list}, nil)
	}
	return out.release()
}

// publishName tells linked devices the phone's new push name. Phones without linked devices have nobody to tell.
func (p *phone) publishName(ctx context.Context) error {
	if len(p.account.linked()) == 0 {
		return nil
	}
	p.mu.Lock()
	var c changes
	s, err := p.appStateOf(ctx, &c)
	if err == nil {
		err = s.setName(ctx, p.account.displayName(), &c)
	}
	p.account.net.store.apply(c)
	p.mu.Unlock()
	if err != nil {
		return err
	}
	return p.announceState([]string{string(appstate.WAPatchCriticalBlock)}, nil)
}

// greet does what a phone does for a device it has linked when that comes for the first time: share the key to the app state.
func (n *Network) greet(d *device) error {
	d.mu.Lock()
	if d.isRemoved || d.hasState {
		d.mu.Unlock()
		return nil
	}
	d.hasState = true
	var c changes
	d.save(&c)
	n.store.apply(c)
	d.mu.Unlock()
	return d.account.phone.shareState(n.ctx, d)
}

func (p *phone) shareState(ctx context.Context, d *device) error {
	n := p.account.net
	out := n.newOutgoing()
	p.mu.Lock()
	var c changes
	s, err := p.appStateOf(ctx, &c)
	if err == nil {
		var added *stanza
		added, err = p.sendPeer(ctx, d, s.share(), &c, out)
		out.stamp([]*stanza{added}, n.store.apply(c))
	}
	p.mu.Unlock()
	if err != nil {
		n.log.Error("app state key not shared", "device", d.label, "error", err)
		return nil
	}
	return out.release()
}

// share is the message by which a phone gives its key to a device.
func (s *appState) share() *waE2E.Message {
	return &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_APP_STATE_SYNC_KEY_SHARE.Enum(),
		AppStateSyncKeyShare: &waE2E.AppStateSyncKeyShare{Keys: []*waE2E.AppStateSyncKey{{
			KeyID: &waE2E.AppStateSyncKeyId{KeyID: s.keyID},
			KeyData: &waE2E.AppStateSyncKeyData{KeyData: s.key.Data, Timestamp: proto.Int64(s.key.Timestamp),
				Fingerprint: &waE2E.AppStateSyncKeyFingerprint{RawID: proto.Uint32(binary.BigEndian.Uint32(s.keyID[2:])),
					CurrentIndex: proto.Uint32(0), DeviceIndexes: []uint32{0}}},
		}}},
	}}
}

// The processor's view of keys and collections. The network keeps patches only; the rest follows from them.

func (s *appState) PutAppStateSyncKey(context.Context, []byte, store.AppStateSyncKey) error {
	return nil
}

func (s *appState) GetAppStateSyncKey(_ context.Context, id []byte) (*store.AppStateSyncKey, error) {
	if !bytes.Equal(id, s.keyID) {
		return nil, nil
	}
	return &s.key, nil
}

func (s *appState) GetLatestAppStateSyncKeyID(context.Context) ([]byte, error) { return s.keyID, nil }

func (s *appState) GetAllAppStateSyncKeys(context.Context) ([]*store.AppStateSyncKey, error) {
	return []*store.AppStateSyncKey{&s.key}, nil
}

func (s *appState) PutAppStateVersion(context.Context, string, uint64, [128]byte) error { return nil }

func (s *appState) GetAppStateVersion(context.Context, string) (uint64, [128]byte, error) {
	return 0, [128]byte{}, nil
}

func (s *appState) DeleteAppStateVersion(context.Context, string) error { return nil }

func (s *appState) PutAppStateMutationMACs(_ context.Context, name string, _ uint64, list []store.AppStateMutationMAC) error {
	for _, m := range list {
		s.macs[name+"/"+string(m.IndexMAC)] = m.ValueMAC
	}
	return nil
}

func (s *appState) DeleteAppStateMutationMACs(_ context.Context, name string, indexes [][]byte) error {
	for _, index := range indexes {
		delete(s.macs, name+"/"+string(index))
	}
	return nil
}

func (s *appState) GetAppStateMutationMAC(_ context.Context, name string, index []byte) ([]byte, error) {
	return s.macs[name+"/"+string(index)], nil
}
