// Package notify is the only door out: it tells other programs, by HTTP, what
// has happened here. It holds the webhooks (who is told of what, and how), the
// deliveries of each, their signatures, and the check of every address that is
// dialled. It never knows what an event means: a Teller, given by whoever
// builds the house, finds the words.
//
// Which deliveries there are follows from the log alone: one for each webhook
// and each event that it asks for, under an ID that derives from both. What is
// kept beside the log (Outbox) says how far that is:
//
//	s := notify.Sender{Log: log, KV: kv, House: house, State: state, Teller: teller, Doors: notify.Open(allow), …}
//	err := s.Step(ctx, "release") // sends what is due of one webhook
//
// A delivery is sent at least once, always under the same webhook-id, and is
// never forgotten: an event leaves the outbox only when its receiver has
// answered 2xx, or when it is given up, which shows.
package notify

// Source is what events of this room name as their source.
const Source = "sluice/notify"

// Sending is the actor of events that no person caused.
const Sending = "controller"
