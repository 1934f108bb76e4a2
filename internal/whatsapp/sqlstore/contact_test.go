package sqlstore_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

func TestContactsAreFoundByEitherAddress(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx, tenant := t.Context(), w.ref.Tenant
		numberOnly, lidOnly := w.addPerson("541155550000", ""), w.addPerson("", "2002")
		w.addPerson("", "2003") // contacts without number do not get in each other's way
		find := func(ids whatsapp.ContactIDs) []whatsapp.Contact {
			got, err := w.store.FindContacts(ctx, tenant, ids)
			require.NoError(t, err)
			w.tx(func(tx whatsapp.Store) error {
				locked, err := tx.FindContacts(ctx, tenant, ids)
				require.Equal(t, got, locked)
				return err
			})
			return got
		}
		require.Equal(t, []whatsapp.Contact{w.person}, find(w.person.IDs))
		require.Equal(t, []whatsapp.Contact{w.person}, find(whatsapp.ContactIDs{LID: w.person.IDs.LID}))
		require.Equal(t, []whatsapp.Contact{numberOnly}, find(numberOnly.IDs))
		require.Empty(t, find(whatsapp.ContactIDs{}))
		require.ElementsMatch(t, []whatsapp.Contact{numberOnly, lidOnly}, find(whatsapp.ContactIDs{Number: numberOnly.IDs.Number, LID: lidOnly.IDs.LID}))
		for _, taken := range []whatsapp.ContactIDs{{Number: numberOnly.IDs.Number}, {LID: lidOnly.IDs.LID, Number: whatsapp.NumberAddress("5491100000001")}} {
			w.tx(func(tx whatsapp.Store) error {
				added, err := tx.AddContact(ctx, whatsapp.Contact{Tenant: tenant, ID: id.NewContact(), IDs: taken}, "")
				require.False(t, added)
				return err
			})
		}
		alike, err := w.store.FindContactsByFold(ctx, tenant, "541122334455", 2)
		require.NoError(t, err)
		require.Equal(t, []whatsapp.Contact{w.person}, alike)

		lidOnly.Name, lidOnly.IDs.Number = "Beto", whatsapp.NumberAddress("5491166666666")
		w.tx(func(tx whatsapp.Store) error {
			if err := tx.SaveContact(ctx, lidOnly, "541166666666"); err != nil {
				return err
			}
			got, err := tx.LockContact(ctx, tenant, lidOnly.ID)
			require.Equal(t, lidOnly, got)
			return errors.Join(err, tx.DeleteContact(ctx, tenant, numberOnly.ID))
		})
		require.Empty(t, find(numberOnly.IDs))
		require.Len(t, find(lidOnly.IDs), 1)
	})
}

func TestATransactionThatLosesARaceForAnAddressRunsAgain(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		other := w.addPerson("", "2002")
		runs := 0
		err := w.store.InTx(t.Context(), func(tx whatsapp.Store) error {
			runs++
			c := other
			if c.Name = "again"; runs == 1 {
				c.IDs.Number = w.person.IDs.Number // as if it had become somebody's since it was looked up
			}
			return tx.SaveContact(t.Context(), c, "")
		})
		require.NoError(t, err)
		require.Equal(t, 2, runs)
	})
}
