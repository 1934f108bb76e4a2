package bot

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// Key names a message of the catalogue.
type Key string

// The messages. What each says, in each language, stands in messages/<language>.json and nowhere else.
const (
	KeyHello         Key = "hello"
	KeyHelloAgain    Key = "hello_again"
	KeyUpcoming      Key = "upcoming"
	KeyAlreadyBooked Key = "already_booked"
	KeyWelcome       Key = "welcome"
	KeyGoodbye       Key = "goodbye"
	KeyHelp          Key = "help"
	KeyNotUnderstood Key = "not_understood"
	KeyOrPerson      Key = "or_person"
	KeyOfferPerson   Key = "offer_person"
	KeyBadNumber     Key = "bad_number"

	KeyMenu            Key = "menu"
	KeyMenuAgain       Key = "menu_again"
	KeyAskService      Key = "ask_service"
	KeyAskWhichService Key = "ask_which_service"
	KeyOneService      Key = "one_service"
	KeyServiceAgain    Key = "service_again"
	KeyNoServices      Key = "no_services"
	KeyAskWhen         Key = "ask_when"
	KeyWhenAgain       Key = "when_again"
	KeySlots           Key = "slots"
	KeyNearest         Key = "nearest"
	KeySlotAgain       Key = "slot_again"
	KeyNoTimes         Key = "no_times"
	KeyNoMore          Key = "no_more"
	KeyNoneThen        Key = "none_then"
	KeyNoneAtAll       Key = "none_at_all"
	KeyNoneWithStaff   Key = "none_with_staff"
	KeyNotFree         Key = "not_free"
	KeyTaken           Key = "taken"
	KeyPast            Key = "past"
	KeyNoSuchDate      Key = "no_such_date"
	KeyHoliday         Key = "holiday"
	KeyConflict        Key = "conflict"
	KeySameTime        Key = "same_time"
	KeyOverlaps        Key = "overlaps"

	KeyConfirmBook   Key = "confirm_book"
	KeyConfirmMove   Key = "confirm_move"
	KeyConfirmCancel Key = "confirm_cancel"
	KeyNotBooked     Key = "not_booked"
	KeyNotMoved      Key = "not_moved"
	KeyKept          Key = "kept"
	KeyDropped       Key = "dropped"
	KeyHowToCancel   Key = "how_to_cancel"
	KeyBooked        Key = "booked"
	KeyMoved         Key = "moved"
	KeyCancelled     Key = "cancelled"
	KeyConfirmed     Key = "confirmed"
	KeyRefused       Key = "refused"
	KeyGone          Key = "gone"

	KeyMoving         Key = "moving"
	KeyMine           Key = "mine"
	KeyMineEntry      Key = "mine_entry"
	KeyMineHint       Key = "mine_hint"
	KeyNoAppointments Key = "no_appointments"
	KeyWhichCancel    Key = "which_cancel"
	KeyWhichMove      Key = "which_move"
	KeyWhichAgain     Key = "which_again"
	KeyPrice          Key = "price"
	KeyOpen           Key = "open"
	KeyOpenDay        Key = "open_day"
	KeyOpenHint       Key = "open_hint"
	KeyNoSuchService  Key = "no_such_service"
	KeyNoneToMove     Key = "none_to_move"
	KeyOneAtATime     Key = "one_at_a_time"
	KeyAskNext        Key = "ask_next"
	KeyAddress        Key = "address"
	KeyNoAddress      Key = "no_address"
	KeyHandedOff      Key = "handed_off"
	KeyOptedOut       Key = "opted_out"
	KeyTextOnly       Key = "text_only"

	keyEntryService     Key = "entry_service"
	keyEntrySlot        Key = "entry_slot"
	keyEntryMore        Key = "entry_more"
	keyEntryWhenDate    Key = "entry_when_date"
	keyEntryWhenHour    Key = "entry_when_hour"
	keyEntryWhenBoth    Key = "entry_when_both"
	keyEntryWhenRange   Key = "entry_when_range"
	keyEntryWhenPart    Key = "entry_when_part"
	keyEntryAppointment Key = "entry_appointment"
	keyEntryYesBook     Key = "entry_yes_book"
	keyEntryYesAnother  Key = "entry_yes_another"
	keyEntryYesMove     Key = "entry_yes_move"
	keyEntryYesCancel   Key = "entry_yes_cancel"
	keyEntryOtherTime   Key = "entry_other_time"
	keyEntryOtherCancel Key = "entry_other_cancel"
	keyEntryNoBook      Key = "entry_no_book"
	keyEntryNoNext      Key = "entry_no_next"
	keyEntryNoKeep      Key = "entry_no_keep"
	keyEntryBook        Key = "entry_book"
	keyEntryMine        Key = "entry_mine"
	keyEntryMove        Key = "entry_move"
	keyEntryCancel      Key = "entry_cancel"
	keyEntryPerson      Key = "entry_person"

	keyHalfDawn      Key = "half_dawn"
	keyHalfMorning   Key = "half_morning"
	keyHalfAfternoon Key = "half_afternoon"
	keyHalfNight     Key = "half_night"
)

// isEntry reports whether the message is an entry of a list, which stands directly under the line before it.
func (k Key) isEntry() bool {
	return strings.HasPrefix(string(k), "entry_") || k == KeyMineEntry || k == KeyOpenDay
}

//go:embed messages/*.json
var messageFiles embed.FS

// fallback is the language of a business whose own has no catalogue.
const fallback = "es"

// catalogue is all that the bot says in one language.
type catalogue struct {
	Weekdays  [7]string       `json:"weekdays"` // from Sunday
	Day       dayForms        `json:"day"`      // inside of a sentence
	Date      dayForms        `json:"date"`     // at the begin of a line
	Thousands string          `json:"thousands"`
	Decimal   string          `json:"decimal"`
	Messages  map[Key]message `json:"messages"`
}

// dayForms are the ways to name a day: today, tomorrow, any other, and one so far ahead that the year matters.
type dayForms struct {
	Today    string `json:"today"`
	Tomorrow string `json:"tomorrow"`
	Other    string `json:"other"`
	Far      string `json:"far"`
}

var catalogues = mustLoad()

// lexicons are the languages that the bot understands.
var lexicons = map[string]*lexicon{"es": &spanish}

func catalogueOf(language string) *catalogue {
	if c, ok := catalogues[language]; ok {
		return c
	}
	return catalogues[fallback]
}

func lexiconOf(language string) *lexicon {
	if l, ok := lexicons[language]; ok {
		return l
	}
	return lexicons[fallback]
}

// mustLoad reads the embedded catalogues. A broken one is a mistake of the build, which every test of the package finds.
func mustLoad() map[string]*catalogue {
	out := map[string]*catalogue{}
	files, err := messageFiles.ReadDir("messages")
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		raw, err := messageFiles.ReadFile("messages/" + f.Name())
		if err != nil {
			panic(err)
		}
		c := &catalogue{}
		if err = json.Unmarshal(raw, c); err != nil {
			panic(fmt.Errorf("messages/%s: %w", f.Name(), err))
		}
		out[strings.TrimSuffix(f.Name(), path.Ext(f.Name()))] = c
	}
	return out
}
