package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"turnero/test/drive"
)

// simSeed is the word from which the local network's keys are made.
const simSeed = "chaos"

// simulator is the local WhatsApp network, in a process of its own.
type simulator struct {
	*drive.Process
	address string
}

func startSim(ctx context.Context, binary, dir string) (*simulator, error) {
	address, err := drive.FreeAddress()
	if err != nil {
		return nil, err
	}
	p, err := launch(filepath.Join(dir, "sim.log"), nil, binary, "sim", "--memory", "--fast-pair", "--listen", address, "--sim-seed", simSeed, "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	s := &simulator{p, address}
	return s, p.Answers(ctx, s.url("/sim/stats"), 30*time.Second)
}

func (s *simulator) url(path string) string { return "http://" + s.address + path }

func (s *simulator) phone(number, rest string) string {
	return s.url("/sim/phones/" + url.PathEscape(number) + rest)
}

// simStats is what the network counts, as far as it matters here.
type simStats struct {
	Connections   int64 `json:"connections"`
	Waiting       int   `json:"waiting"`
	Logins        int64 `json:"logins"`
	Replaced      int64 `json:"replaced"`
	MessagesIn    int64 `json:"messagesIn"`
	MessagesShown int64 `json:"messagesShown"`
	MessagesOut   int64 `json:"messagesOut"`
	Redelivered   int64 `json:"redelivered"`
	RetriesIn     int64 `json:"retriesIn"`
	RetriesOut    int64 `json:"retriesOut"`
	DecryptErrors int64 `json:"decryptErrors"`
	RatchetReuse  int64 `json:"ratchetReuse"`
	StaleCounters int64 `json:"staleCounters"`
	IDReuse       int64 `json:"idReuse"`
	Duplicates    int64 `json:"duplicates"`
	StaleFrames   int64 `json:"staleFrames"`
	Overflows     int64 `json:"queueOverflows"`
	Panics        int64 `json:"panics"`
	Unlinked      int64 `json:"unlinked"`
	StaleAccepted int64 `json:"staleAccepted"`
	Forgotten     int64 `json:"messagesForgotten"`
}

func (s *simulator) stats(ctx context.Context) (out simStats, err error) {
	return out, web.Call(ctx, "GET", s.url("/sim/stats"), nil, &out)
}

// shownMessage is a message as a phone shows it.
type shownMessage struct {
	Seq       uint64    `json:"seq"`
	ID        string    `json:"id"`
	Direction string    `json:"direction"`
	From      string    `json:"from"`
	Text      string    `json:"text"`
	Timestamp time.Time `json:"timestamp"`
}

// inbox lists what others wrote to a phone, oldest first.
func (s *simulator) inbox(ctx context.Context, number string) ([]shownMessage, error) {
	var in []shownMessage
	for after := uint64(0); ; {
		var page struct {
			Items []shownMessage `json:"items"`
		}
		if err := web.Call(ctx, "GET", s.phone(number, "/messages?limit=10000&after="+strconv.FormatUint(after, 10)), nil, &page); err != nil {
			return nil, err
		}
		for _, m := range page.Items {
			after = m.Seq
			if m.Direction == "in" {
				in = append(in, m)
			}
		}
		if len(page.Items) < 10_000 {
			return in, nil
		}
	}
}

// write has a phone write to a number.
func (s *simulator) write(ctx context.Context, from, to, text string) (id string, err error) {
	var out struct {
		ID string `json:"id"`
	}
	return out.ID, web.Call(ctx, "POST", s.phone(from, "/messages"), map[string]string{"to": to, "text": text}, &out)
}

// The numbers of a session's line and of the people who write with it. Some write by LID.
func lineNumber(session int) string { return fmt.Sprintf("54911%08d", 10000000+session) }
func personNumber(chat int) string  { return fmt.Sprintf("54911%08d", 60000000+chat) }
