package sqlstore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments"
	"turnero/internal/appointments/bot"
	"turnero/internal/appointments/sqlstore"
	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func TestTheBotBooksInOneConversation(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBotBench(t, db)
		b.hairdresser()
		ana := newSomeone("Ana 🌻")
		ana.phone = "+5491122334455"
		require.Contains(t, b.write(ana, "hola, quiero un turno mañana a la tarde"), "*1.* Mañana sábado 21/3, *13:00*")
		require.Contains(t, b.write(ana, "1"), "¿Lo confirmo?")
		require.Zero(t, b.rows("appointments"), "nothing is booked without a yes")
		reply := b.write(ana, "si")
		require.Contains(t, reply, "Tu turno está reservado")
		require.Contains(t, reply, "Corrientes 1234")
		require.Contains(t, reply, "cancelar")

		booked := b.events("appointment.booked")
		require.Len(t, booked, 1)
		facts := booked[0].(*events.AppointmentBooked)
		require.Equal(t, at(21, "13:00"), facts.Start)
		require.Equal(t, ana.chat, facts.Chat)
		require.Equal(t, ana.wa, facts.WhatsApp)
		require.Equal(t, "+5491122334455", facts.Phone)
		require.Equal(t, "Ana 🌻", facts.Name)
		require.Equal(t, appointments.OriginBot, facts.Origin)

		sent := b.sent(ana)
		require.Len(t, sent, 3)
		last := sent[2]
		require.True(t, last.OnlyIfBot)
		require.Equal(t, appointments.OriginBot, last.Origin)
		require.Equal(t, b.session, last.Session)
		require.False(t, last.Message.IsZero())
		require.NotEmpty(t, last.WAID)
		require.Zero(t, last.NotAfter, "what tells of a booking is sent however late")
		require.NotZero(t, sent[0].NotAfter, "an old menu is not")

		require.Contains(t, b.write(ana, "mis turnos"), "*Corte*: mañana sábado 21/3 a las *13:00*")
		require.Contains(t, b.write(ana, "reprogramar para el lunes a las 9"), "Ahora: Lunes 23/3 a las *09:00*")
		require.Contains(t, b.write(ana, "dale"), "Cambié tu turno")
		require.Contains(t, b.write(ana, "cancelar"), "¿Lo cancelo?")
		require.Contains(t, b.write(ana, "si"), "cancelé tu turno")
		require.Equal(t, []string{"appointment.booked", "appointment.rescheduled", "appointment.cancelled"}, b.told())
		_, err := b.book(appointments.Offering{ID: b.onlyService()}, appointments.Staff{}, at(23, "09:00"), "Otra")
		require.NoError(t, err, "its time is free again")
	})
}

func TestASecondDeliveryGetsNoSecondAnswer(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBotBench(t, db)
		b.hairdresser()
		ana := newSomeone("Ana")
		m, event := b.message(ana, "hola"), id.NewEvent()
		for range 3 {
			require.NoError(t, b.bot.HandleEvent(t.Context(), event, m))
		}
		require.Len(t, b.planned(), 1)
		b.pass(time.Second)
		require.Len(t, b.sent(ana), 1)
		require.NoError(t, b.bot.HandleEvent(t.Context(), event, m), "long after it was answered")
		b.pass(time.Second)
		require.Len(t, b.sent(ana), 1)
	})
}

func TestQuickMessagesGetOneAnswerInOrder(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	b.deliver(b.message(ana, "hola"))
	b.pass(500 * time.Millisecond)
	b.deliver(b.message(ana, "quiero"))
	b.pass(500 * time.Millisecond)
	b.deliver(b.message(ana, "turno mañana a las 10"))
	b.pass(bot.Debounce - time.Millisecond)
	require.Empty(t, b.sent(ana), "the customer may still be writing")
	b.pass(time.Millisecond)
	sent := b.sent(ana)
	require.Len(t, sent, 1)
	require.Contains(t, sent[0].Text, "Mañana sábado 21/3 a las *10:00*")
	require.Empty(t, b.planned())

	b.deliver(b.message(ana, "si"))
	b.deliver(b.message(ana, "si"))
	b.pass(time.Second)
	require.Len(t, b.sent(ana), 2)
	require.Len(t, b.events("appointment.booked"), 1, "a double tap books once")
}

func TestSomebodyWhoKeepsWritingIsAnsweredAllTheSame(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	for range 8 {
		b.deliver(b.message(ana, "hola"))
		b.pass(500 * time.Millisecond)
	}
	require.NotEmpty(t, b.sent(ana))
}

func TestAFloodIsOneInputOfTheLastMessages(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	for range 60 {
		b.deliver(b.message(ana, strings.Repeat("bla ", 20_000)))
	}
	b.deliver(b.message(ana, "turno mañana a las 10"))
	var c struct{ Pending string }
	require.NoError(t, b.db.Handle().Read().NewSelect().TableExpr("bot_conversations").Column("pending").Where("tenant_id = ?", b.tenant).Scan(t.Context(), &c))
	require.Less(t, len(c.Pending), 100_000, "what waits is bounded")
	b.pass(5 * time.Second)
	require.Len(t, b.sent(ana), 1)
	require.Contains(t, b.sent(ana)[0].Text, "¿Lo confirmo?")
}

func TestAJobThatCameEarlyAnswersAllTheSame(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	b.deliver(b.message(ana, "hola"))
	require.NoError(t, b.handle(b.planned()[0]), "by a process whose clock is ahead")
	require.Len(t, b.sent(ana), 1)
}

func TestTheBotIsSilentWhereItMustBe(t *testing.T) {
	t.Parallel()
	cases := map[string]func(b *botBench, m *events.MessageReceived){
		"group":         func(_ *botBench, m *events.MessageReceived) { m.ChatKind = "group" },
		"status":        func(_ *botBench, m *events.MessageReceived) { m.ChatKind = "status" },
		"channel":       func(_ *botBench, m *events.MessageReceived) { m.ChatKind = "channel" },
		"person":        func(_ *botBench, m *events.MessageReceived) { m.ChatMode = "person" },
		"two hours old": func(_ *botBench, m *events.MessageReceived) { m.SentAt = m.SentAt.Add(-2*time.Hour - time.Second) },
		"reaction":      func(_ *botBench, m *events.MessageReceived) { m.Type = "reaction" },
		"switched off":  func(b *botBench, _ *events.MessageReceived) { b.off = true },
		"call":          func(_ *botBench, m *events.MessageReceived) { m.Type = "call" },
		"unknown":       func(_ *botBench, m *events.MessageReceived) { m.Type = "unknown" },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
			b.hairdresser()
			m := b.message(newSomeone("Ana"), "turno mañana a las 10")
			change(b, m)
			b.deliver(m)
			b.pass(time.Hour)
			require.Empty(t, b.commands("whatsapp.send"))
			require.Empty(t, b.commands("whatsapp.handoff"))
			require.Empty(t, b.commands(bot.KindAnswer))
		})
	}
}

func TestTheBotFallsSilentWhenAPersonWrites(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]func(b *botBench, who someone) events.Event{
		"wrote": func(b *botBench, who someone) events.Event {
			return &events.MessageSentByPerson{Tenant: b.tenant, Chat: who.chat, Origin: "phone"}
		},
		"took the chat": func(b *botBench, who someone) events.Event {
			return &events.ChatModeChanged{Tenant: b.tenant, Chat: who.chat, Mode: "person"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
			b.hairdresser()
			ana := newSomeone("Ana")
			require.Contains(t, b.write(ana, "turno mañana a las 10"), "¿Lo confirmo?")
			b.deliver(b.message(ana, "si"))
			b.deliver(event(b, ana))
			b.pass(time.Minute)
			require.Len(t, b.sent(ana), 1)
			require.Zero(t, b.rows("appointments"))
			require.NotContains(t, b.write(ana, "si"), "reservado", "what was asked before the person came is not asked any more")
			require.Zero(t, b.rows("appointments"))
		})
	}
}

func TestTheBotSaysOnceInAnHourThatItReadsText(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	voice := func() {
		m := b.message(ana, "")
		m.Type = "audio"
		b.deliver(m)
		b.pass(5 * time.Second)
	}
	voice()
	voice()
	require.Len(t, b.sent(ana), 1)
	require.Contains(t, b.sent(ana)[0].Text, "solo leo texto")
	b.pass(time.Hour)
	voice()
	require.Len(t, b.sent(ana), 2)
	require.Contains(t, b.write(ana, "hola"), "Hola Ana")
}

func TestTwoBotsDoNotTalkForEver(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	other := newSomeone("Otro bot")
	for range 40 {
		b.write(other, "No entendí tu mensaje. Elegí una opción.")
	}
	require.Len(t, b.sent(other), bot.MaxReplies)
	handed := b.commands("whatsapp.handoff")
	require.Len(t, handed, 1, "the staff is told once")
	require.Contains(t, handed[0], bot.ReasonTooMany)
	require.NotEmpty(t, b.write(newSomeone("Ana"), "hola"), "others are answered")
	b.pass(time.Hour)
	require.NotEmpty(t, b.write(other, "hola"), "an hour later it speaks again")
}

func TestAskingForAPersonHandsTheChatOver(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	require.Contains(t, b.write(ana, "quiero hablar con alguien"), "le aviso al equipo")
	var cmd events.HandOffChat
	require.Len(t, b.commands("whatsapp.handoff"), 1)
	require.NoError(t, json.Unmarshal([]byte(b.commands("whatsapp.handoff")[0]), &cmd))
	require.Equal(t, events.HandOffChat{Tenant: b.tenant, Chat: ana.chat, Reason: bot.ReasonAsked}, cmd)
	require.False(t, b.sent(ana)[0].OnlyIfBot, "the farewell is sent though the chat is the staff's by then")
}

func TestAMessageThatWaitedTooLongIsLeftToTheStaff(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	b.deliver(b.message(ana, "turno mañana a las 10"))
	row := b.planned()[0]
	b.clock.set(b.clock.Now().Add(3 * time.Hour)) // the workers were down
	require.NoError(t, b.handle(row))
	b.end(row)
	require.Empty(t, b.sent(ana))
	require.NotContains(t, b.write(ana, "hola"), "10:00* ", "what waited is not read into what comes")
}

func TestAConversationSurvivesARestart(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBotBench(t, db)
		b.hairdresser()
		ana := newSomeone("Ana")
		b.write(ana, "turno mañana")
		b.bot = b.botOn(sqlstore.NewBot(b.store))
		require.Contains(t, b.write(ana, "2"), "¿Lo confirmo?")
		b.bot = b.botOn(sqlstore.NewBot(b.store))
		b.deliver(b.message(ana, "si"))
		b.bot = b.botOn(sqlstore.NewBot(b.store)) // with the answer planned
		b.pass(time.Second)
		require.Len(t, b.events("appointment.booked"), 1)
	})
}

func TestTheOldMenuBindsNoMore(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	require.Contains(t, b.write(ana, "turno mañana a las 10"), "¿Lo confirmo?")
	b.pass(bot.IdleAfter + time.Second)
	b.write(ana, "si")
	b.write(ana, "1")
	require.Zero(t, b.rows("appointments"))
}

func TestASlotTakenMeanwhileLeadsToTheNearest(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBotBench(t, db)
		b.hairdresser()
		ana := newSomeone("Ana")
		require.Contains(t, b.write(ana, "turno mañana a las 10"), "¿Lo confirmo?")
		_, err := b.book(appointments.Offering{ID: b.onlyService()}, appointments.Staff{}, at(21, "10:00"), "Otra")
		require.NoError(t, err)
		reply := b.write(ana, "si")
		require.Contains(t, reply, "ya no está libre")
		require.Contains(t, reply, "*1.* Mañana sábado 21/3, *09:00*")
		require.Contains(t, reply, "*2.* Mañana sábado 21/3, *11:00*")
		require.Contains(t, reply, "*3.* Mañana sábado 21/3, *12:00*")
		require.Equal(t, 1, b.rows("customers"), "the refused customer left nothing behind")
		require.Contains(t, b.write(ana, "2"), "¿Lo confirmo?")
		require.Contains(t, b.write(ana, "si"), "reservado")
	})
}

func TestOfTwoWhoConfirmTheSameSlotAtOnceOneGetsIt(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := newBotBench(t, db)
		b.hairdresser()
		const n = 4
		people := make([]someone, n)
		for i := range people {
			people[i] = newSomeone(fmt.Sprint("Cliente ", i))
			require.Contains(t, b.write(people[i], "turno mañana a las 10"), "¿Lo confirmo?")
		}
		for _, who := range people {
			b.deliver(b.message(who, "si"))
		}
		b.clock.set(b.clock.Now().Add(time.Second))
		rows := b.planned()
		require.Len(t, rows, n)
		_, errs := atOnce(n, func(i int) (struct{}, error) { return struct{}{}, b.handle(rows[i]) })
		require.NoError(t, errors.Join(errs...))
		won, lost := 0, 0
		for _, who := range people {
			sent := b.sent(who)
			require.Len(t, sent, 2)
			switch {
			case strings.Contains(sent[1].Text, "reservado"):
				won++
			case strings.Contains(sent[1].Text, "ya no está libre"):
				lost++
			}
		}
		require.Equal(t, 1, won)
		require.Equal(t, n-1, lost)
		require.Equal(t, 1, b.rows("appointments"))
		require.Len(t, b.events("appointment.booked"), 1)
	})
}

func TestARemindedAppointmentIsTheOneMeant(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	for _, text := range []string{"turno mañana a las 10", "si", "turno mañana a las 15", "si"} {
		b.write(ana, text)
	}
	booked := b.events("appointment.booked")
	require.Len(t, booked, 2)
	second := booked[1].(*events.AppointmentBooked)
	b.pass(3 * time.Hour)
	b.deliver(&events.AppointmentReminded{Tenant: b.tenant, Appointment: second.Appointment, At: b.clock.Now()})
	reply := b.write(ana, "no puedo ir")
	require.Contains(t, reply, "mañana sábado 21/3 a las *15:00*")
	require.Contains(t, reply, "¿Lo cancelo?")
	b.write(ana, "si")
	cancelled := b.events("appointment.cancelled")
	require.Len(t, cancelled, 1)
	require.Equal(t, second.Appointment, cancelled[0].(*events.AppointmentCancelled).Appointment)
	require.Equal(t, second.Customer.String(), cancelled[0].(*events.AppointmentCancelled).By)
}

func TestAReminderEndsWhatWasAskedBeforeIt(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	b.write(ana, "turno mañana a las 10")
	b.write(ana, "si")
	first := b.events("appointment.booked")[0].(*events.AppointmentBooked)
	require.Contains(t, b.write(ana, "turno el lunes a las 10"), "¿Lo confirmo?")
	b.pass(time.Minute)
	reminder, event := &events.AppointmentReminded{Tenant: b.tenant, Appointment: first.Appointment, Chat: ana.chat, At: b.clock.Now()}, id.NewEvent()
	require.NoError(t, b.bot.HandleEvent(t.Context(), event, reminder))
	require.Contains(t, b.write(ana, "si"), "Te esperamos mañana sábado 21/3", "the yes is said to the reminder")
	require.Len(t, b.events("appointment.booked"), 1)

	require.Contains(t, b.write(ana, "turno el lunes a las 10"), "¿Lo confirmo?")
	require.NoError(t, b.bot.HandleEvent(t.Context(), event, reminder), "delivered again")
	require.Contains(t, b.write(ana, "si"), "reservado")
}

func TestACustomerIsKnownByNumberInAnySpelling(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	_, err := b.svc.Book(t.Context(), b.tenant, appointments.BookCommand{Service: b.onlyService(), Start: appointments.At(at(23, "10:00")),
		Customer: appointments.CustomerRef{Name: "Ana Pérez", Phone: "+541122334455"}, Origin: appointments.OriginAPI})
	require.NoError(t, err)
	ana := newSomeone("Anita")
	ana.phone = "+5491122334455"
	require.Contains(t, b.write(ana, "mis turnos"), "lunes 23/3")
	other := newSomeone("Beto")
	require.NotContains(t, b.write(other, "mis turnos"), "23/3")
	odd := newSomeone("Caro")
	odd.phone = "+1"
	b.write(odd, "turno mañana a las 10")
	require.Contains(t, b.write(odd, "si"), "reservado", "a number that cannot be read is no obstacle")
}

func TestNobodyTouchesTheAppointmentsOfOthers(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana, beto := newSomeone("Ana"), newSomeone("Beto")
	b.write(ana, "turno mañana a las 10")
	require.Contains(t, b.write(ana, "si"), "reservado")
	hers := b.events("appointment.booked")[0].(*events.AppointmentBooked).Appointment.String()
	for _, text := range []string{"cancelar", "cancelar el turno de mañana a las 10", "cancelar " + hers, "mis turnos", "reprogramar " + hers, "confirmo", hers} {
		reply := b.write(beto, text)
		require.NotContains(t, reply, "21/3 a las", text)
		require.NotContains(t, reply, "Ana", text)
	}
	require.Equal(t, []string{"appointment.booked"}, b.told())
}

func TestAStrangeNameIsNoObstacle(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"", "\u202eAna\x00", strings.Repeat("x", 500), "\n\n", "*_~`", string([]byte{0xff, 0xfe})} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
			b.hairdresser()
			who := newSomeone(name)
			b.write(who, "turno mañana a las 10")
			require.Contains(t, b.write(who, "si"), "reservado")
		})
	}
}

func TestAnErrorOfTheSettingsIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	m, event := b.message(ana, "hola"), id.NewEvent()
	b.err = errors.New("not now")
	require.ErrorIs(t, b.bot.HandleEvent(t.Context(), event, m), b.err)
	b.err = nil
	require.NoError(t, b.bot.HandleEvent(t.Context(), event, m))
	b.err = errors.New("not now")
	b.clock.set(b.clock.Now().Add(time.Second))
	require.ErrorIs(t, b.handle(b.planned()[0]), b.err)
	b.err = nil
	b.pass(time.Second)
	require.Len(t, b.sent(ana), 1)
}
