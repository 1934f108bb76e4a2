// Package notifications tells customers what they should not forget: reminders of their appointments over WhatsApp.
//
// A booking's event plans one reminder per offset of the tenant's settings; moving the appointment re-times them and
// cancelling drops them. A reminder is unique per appointment, channel, offset and start, its message ID is fixed when it is
// planned, and when it falls due the appointment is looked at once more before the message is handed to whatsapp. So it
// leaves once in effect, or not at all.
package notifications
