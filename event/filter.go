package event

import (
	"strings"
	"unicode/utf8"
)

// Filter selects events by subject. The zero Filter selects all. A pattern is
// a subject, or a prefix that ends in ".>" ("flag.>" is every flag).
type Filter struct {
	Subjects []string
}

// Match reports whether f selects the subject.
func (f Filter) Match(subject string) bool {
	if len(f.Subjects) == 0 {
		return true
	}
	for _, p := range f.Subjects {
		prefix, any := strings.CutSuffix(p, ">")
		if p == subject || any && strings.HasPrefix(subject, prefix) {
			return true
		}
	}
	return false
}

// CheckKey says why a key cannot be part of a subject, or returns "". Keys are
// 1 to 128 letters, digits, '-', '_' and '.', and no token between dots is
// empty: a key is the last tokens of its aggregate's subject.
func CheckKey(key string) string {
	switch {
	case key == "":
		return "is empty"
	case len(key) > 128:
		return "is longer than 128 characters"
	case strings.HasPrefix(key, ".") || strings.HasSuffix(key, ".") || strings.Contains(key, ".."):
		return "has an empty part between its dots"
	}
	for _, r := range key {
		if !keyRune(r) {
			return "has the character " + quoteRune(r) + "; letters, digits, '-', '_' and '.' are allowed"
		}
	}
	return ""
}

// checkSubject says why a text is no subject, or returns "". Logs map subjects
// to those of a message bus, where blanks, '*' and '>' mean something else.
func checkSubject(s string) string {
	switch {
	case s == "":
		return "is empty"
	case len(s) > 255:
		return "is longer than 255 characters"
	case strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, ".."):
		return "has an empty part between its dots"
	case strings.ContainsFunc(s, busRune):
		return "has a blank, '*', '>' or a byte that is no text"
	}
	return ""
}

func busRune(r rune) bool {
	return r <= ' ' || r == '*' || r == '>' || r == 0x7f || r == utf8.RuneError
}

func keyRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
}
