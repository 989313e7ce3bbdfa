package dashboards

import "net/http"

// SignIn is the page with the ways in: the issuer of identities, if there is one,
// and the token form, which posts the fields token and next to /sign-in.
type SignIn struct {
	Frame
	Next   string // where to go afterwards: a path of this server
	Fault  string // why the last attempt failed; empty: there was none
	Token  bool   // it was the token that was at fault
	Issuer string // where people sign in; empty: with a token alone
	Start  string // path of this server that leads to the issuer
	Leave  string // who has just signed out is still signed in at the issuer, and ends that there; empty: nobody has
}

func (SignIn) template() string { return "signin" }

// Refused returns the mark of a failed attempt.
func (SignIn) Refused() Mark { return Failed }

// Problem is the page of an error. It says what to do.
type Problem struct {
	Frame
	Status  int    // HTTP status
	Detail  string // what happened, one sentence
	Fix     string // what to do; empty: nothing can be done here
	Command string // a command that helps; empty: none
	Request string // the request's id, to be quoted; empty: none
}

func (Problem) template() string { return "problem" }

// Words returns the status in words.
func (p Problem) Words() string {
	if text := http.StatusText(p.Status); text != "" {
		return text
	}
	return "Unknown problem"
}
