package phone_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"turnero/internal/platform/phone"
)

func TestNumbersAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, region, want string }{
		{"011 15-2233-4455", "AR", "+5491122334455"},
		{"+54 11 2233 4455", "AR", "+541122334455"},
		{"5491122334455", "AR", "+5491122334455"},
		{"5491122334455", "", "+5491122334455"},
		{" +54 9 11 2233-4455 ", "MX", "+5491122334455"},
		{"+525512345678", "AR", "+525512345678"},
		{"55 1234 5678", "MX", "+525512345678"},
		{"(11) 98765-4321", "BR", "+5511987654321"},
		{"5215512345678", "MX", "+5215512345678"},
		{"+52 1 55 1234 5678", "", "+5215512345678"},
		{"551187654321", "AR", "+551187654321"},
		{"+54 11 15 2233 4455", "", "+5491122334455"},
		{"+54 9 11 15 2233 4455", "AR", "+5491122334455"},
		{"+54 9 351 15 555-1234", "AR", "+5493515551234"},
		{"0351 15 555-1234", "AR", "+5493515551234"},
		{"+54 11 4444 5555", "AR", "+541144445555"},
		{"551133334444", "AR", "+551133334444"},
	} {
		got, err := phone.Parse(c.text, c.region)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got, c.text)
	}
}

func TestWhatIsNoNumberIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "hola", "123", "+1", "+54", "00000000000", "+99912345678", "15-2233", "+54 9 11 2233 44556677", "+52 1 00 0000 0000", "+55 00 8765 4321", "+54 9 11 16 2233 4455"} {
		_, err := phone.Parse(text, "AR")
		require.ErrorIs(t, err, phone.ErrInvalid, text)
	}
}

func TestTheSameLineMeetsUnderOneKey(t *testing.T) {
	t.Parallel()
	same := func(a, b string) bool { return phone.Fold(a) == phone.Fold(b) }
	require.True(t, same("+5491122334455", "+541122334455"))
	require.True(t, same("+525512345678", "5215512345678"))
	require.True(t, same("+5511987654321", "+551187654321"))
	require.False(t, same("+5491122334455", "+5491122334456"))
	require.Equal(t, "551133334444", phone.Fold("+551133334444"), "a landline stays what it is")
	require.False(t, same("+551133334444", "+5511933334444"), "and no mobile folds onto it")
	require.False(t, same("+12125550100", "+442125550100"))
}

func TestEveryWayToWriteOneMobileMeets(t *testing.T) {
	t.Parallel()
	for region, ways := range map[string][]string{
		"AR": {"011 15-2233-4455", "11 2233 4455", "+54 11 2233 4455", "5491122334455", "+54 9 11 15 2233 4455", "+541122334455"},
		"MX": {"55 1234 5678", "+525512345678", "5215512345678", "+52 1 55 1234 5678"},
		"BR": {"11 98765-4321", "+5511987654321", "551187654321"},
	} {
		keys := map[string]bool{}
		for _, text := range ways {
			e164, err := phone.Parse(text, region)
			require.NoError(t, err, text)
			keys[phone.Fold(e164)] = true
		}
		require.Len(t, keys, 1, region)
	}
}

func TestFoldingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`\+(54|52|55|1|34)[0-9]{8,11}`).Draw(t, "number")
		require.Equal(t, phone.Fold(number), phone.Fold(phone.Fold(number)))
	})
}

func TestANumberIsReadTheSameEachTime(t *testing.T) {
	t.Parallel()
	type reading struct {
		e164 string
		err  error
	}
	first := map[[2]string]reading{}
	for round := range 2 {
		for i := range 3000 { // more than are remembered
			for _, region := range []string{"AR", "MX"} {
				text := fmt.Sprintf("55 %04d %04d", i*7%10000, i)
				e164, err := phone.Parse(text, region)
				if got := (reading{e164, err}); round == 0 {
					first[[2]string{text, region}] = got
				} else {
					require.Equal(t, first[[2]string{text, region}], got, text)
				}
			}
		}
	}
}
