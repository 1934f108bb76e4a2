package wasim_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net/http"
	"strings"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"turnero/wasim"
)

// Two simulated phones write to each other.
func Example() {
	ctx := context.Background()
	network, err := wasim.New(ctx, wasim.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()

	if _, err = network.AddPhone("+54 9 11 5555-0001", "Ana"); err != nil {
		log.Fatal(err)
	}
	if _, err = network.Send(ctx, "5491155550001", "5491155550002", "hola"); err != nil {
		log.Fatal(err)
	}
	messages, err := network.Messages("5491155550002", "")
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range messages {
		fmt.Println(m.Direction, m.From, m.Type, m.Text)
	}
	// Output: in 5491155550001 text hola
}

// A real client is pointed at the network, linked by its QR code, and talks with a simulated phone.
func ExampleNetwork_Scan() {
	ctx := context.Background()
	network, err := wasim.New(ctx, wasim.Options{Seed: seed, FastPair: true})
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	whatsmeow.WACertPubKey = network.RootKey() // once in a process, before the first client

	db, err := sql.Open("sqlite", "file:scan?mode=memory&_pragma=foreign_keys(1)")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	container := sqlstore.NewWithDB(db, "sqlite", nil)
	if err = container.Upgrade(ctx); err != nil {
		log.Fatal(err)
	}
	defer container.Close()
	client := whatsmeow.NewClient(container.NewDevice(), nil)
	client.SetPreLoginHTTPClient(network.HTTPClient())
	client.SetWebsocketHTTPClient(network.HTTPClient())
	client.SetMediaHTTPClient(network.HTTPClient())

	codes, connected, received := make(chan string, 1), make(chan bool, 1), make(chan string, 1)
	client.AddEventHandler(func(event any) {
		switch e := event.(type) {
		case *events.QR:
			codes <- e.Codes[0]
		case *events.Connected:
			connected <- true
		case *events.Message:
			if text := e.Message.GetConversation(); text != "" {
				received <- text
			}
		}
	})
	if err = client.Connect(); err != nil {
		log.Fatal(err)
	}
	defer client.Disconnect()
	if err = network.Scan("5491155550001", <-codes); err != nil {
		log.Fatal(err)
	}
	<-connected

	if _, err = network.Send(ctx, "5491155550002", "5491155550001", "¿tienen turno?"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("the client reads:", <-received)
	customer := types.NewJID("5491155550002", types.DefaultUserServer)
	if _, err = client.SendMessage(ctx, customer, &waE2E.Message{Conversation: proto.String("sí, a las 10")}); err != nil {
		log.Fatal(err)
	}
	answer, err := network.WaitMessage(ctx, "5491155550002", func(m wasim.Message) bool { return m.Direction == wasim.DirectionIn })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the phone shows:", answer.Text)
	// Output:
	// the client reads: ¿tienen turno?
	// the phone shows: sí, a las 10
}

// The same control over HTTP. Any host ends in the network when its own client is used.
func ExampleNetwork_HTTPClient() {
	network, err := wasim.New(context.Background(), wasim.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	body := strings.NewReader(`{"number": "+54 9 11 5555-0001", "name": "Ana"}`)
	response, err := network.HTTPClient().Post("http://sim/sim/phones", "application/json", body)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	fmt.Println(response.StatusCode == http.StatusCreated, network.Phones()[0].Name)
	// Output: true Ana
}

// The next two messages of a number are taken but not acknowledged.
func ExampleNetwork_Fault() {
	network, err := wasim.New(context.Background(), wasim.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer network.Close()
	fault, err := network.Fault(wasim.Fault{Kind: "drop_ack", Number: "5491155550001", Count: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(fault.Kind, len(network.Faults()))
	network.ClearFaults()
	fmt.Println(len(network.Faults()))
	// Output:
	// drop_ack 1
	// 0
}
