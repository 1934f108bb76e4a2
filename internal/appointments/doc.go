// Package appointments keeps a business's set-up (locations, what it offers, staff with their hours, closures), its
// customers and their appointments, and decides when something can be booked.
//
// One pure type, Agenda, holds the only rule of free time: a shift less its breaks and closures gives free windows; a start
// lies on the shift's grid, the service fits the window, and its occupied range (with buffers) meets no other one, be it
// an appointment's or a hold's. Service loads an Agenda and asks it: the list of slots, a booking, a hold, a reschedule and
// the bot all get their answer there, so what is listed can be booked and what is not is refused with its reason.
//
// A booking locks the row of each staff member that it may take, in the order of IDs, reads the occupied ranges anew and
// asks the Agenda again; then it writes the appointment and its event in that transaction.
package appointments
