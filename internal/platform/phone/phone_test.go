package phone_test

import (
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
	} {
		got, err := phone.Parse(c.text, c.region)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got, c.text)
	}
}

func TestWhatIsNoNumberIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "hola", "123", "+1", "+54", "00000000000", "+99912345678", "15-2233", "+54 9 11 2233 44556677"} {
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

func TestFoldingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`\+(54|52|55|1|34)[0-9]{8,11}`).Draw(t, "number")
		require.Equal(t, phone.Fold(number), phone.Fold(phone.Fold(number)))
	})
}
