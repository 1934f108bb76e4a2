package groupcommit_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/groupcommit"
)

func TestQuestionsThatComeMeanwhileAreAskedTogether(t *testing.T) {
	t.Parallel()
	began, goOn := make(chan struct{}), make(chan struct{})
	var sizes []int
	r := groupcommit.NewReader(func(_ context.Context, questions []int) ([]int, error) {
		sizes = append(sizes, len(questions))
		if len(sizes) == 1 {
			close(began)
			<-goOn
		}
		out := make([]int, len(questions))
		for i, q := range questions {
			out[i] = 2 * q
		}
		return out, nil
	})
	var work sync.WaitGroup
	ask := func(q int) {
		work.Go(func() {
			answer, err := r.Ask(t.Context(), q)
			require.NoError(t, err)
			require.Equal(t, 2*q, answer)
		})
	}
	ask(1)
	<-began
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for q := range 20 { // a caller that leaves is still part of the next query
		_, err := r.Ask(gone, q)
		require.ErrorIs(t, err, context.Canceled)
	}
	close(goOn)
	for q := range 20 {
		ask(q)
	}
	work.Wait()
	require.GreaterOrEqual(t, sizes[1], 20)
	total := 0
	for _, n := range sizes {
		total += n
	}
	require.Equal(t, 41, total)
}

func TestAnErrorIsThatOfAllWhoAsked(t *testing.T) {
	t.Parallel()
	errDown := errors.New("down")
	r := groupcommit.NewReader(func(context.Context, []string) ([]string, error) { return nil, errDown })
	_, err := r.Ask(t.Context(), "anybody there?")
	require.ErrorIs(t, err, errDown)
}
