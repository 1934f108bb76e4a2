package whatsapp_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a line, a sender or a manager leaves something running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
