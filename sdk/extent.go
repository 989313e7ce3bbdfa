package sdk

import "errors"

// Where values stand in JSON text (RFC 8259), found without reading them. This
// only tells them apart: whether each is right is found out by whoever reads it.

var errShape = errors.New("it is not the JSON that was expected")

// object visits the members of the object that b begins with, and returns its
// length. value is given what stands behind the colon, and returns how much of
// it is the value. Names are as they are written, without quotes.
func object(b []byte, value func(name, b []byte) (int, error)) (int, error) {
	return each(b, '{', '}', func(b []byte) (int, error) {
		name, err := extent(b)
		if err != nil || b[0] != '"' {
			return 0, errShape
		}
		at := name + blank(b[name:])
		if at == len(b) || b[at] != ':' {
			return 0, errShape
		}
		at++
		at += blank(b[at:])
		n, err := value(b[1:name-1], b[at:])
		return at + n, err
	})
}

// elements visits those of the array that b begins with, and returns its length.
// Each call is given the rest, and returns how much of it is the element.
func elements(b []byte, element func(b []byte) (int, error)) (int, error) {
	return each(b, '[', ']', element)
}

// each visits what stands between two brackets and is divided by commas.
func each(b []byte, open, end byte, one func(b []byte) (int, error)) (int, error) {
	if len(b) == 0 || b[0] != open {
		return 0, errShape
	}
	at := 1 + blank(b[1:])
	if at < len(b) && b[at] == end {
		return at + 1, nil
	}
	for at < len(b) {
		n, err := one(b[at:])
		if err != nil {
			return 0, err
		}
		at += n
		at += blank(b[at:])
		switch {
		case at < len(b) && b[at] == end:
			return at + 1, nil
		case at == len(b) || b[at] != ',':
			return 0, errShape
		}
		at++
		at += blank(b[at:])
	}
	return 0, errShape
}

// blank returns how many bytes of white space b begins with.
func blank(b []byte) (n int) {
	for n < len(b) && (b[n] == ' ' || b[n] == '\n' || b[n] == '\r' || b[n] == '\t') {
		n++
	}
	return n
}

// extent returns the length of the value that b begins with.
func extent(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, errShape
	}
	switch b[0] {
	case '"':
		return quoted(b)
	case '{', '[':
		return nested(b)
	}
	n := 0
	for n < len(b) && b[n] > ' ' && b[n] != ',' && b[n] != '}' && b[n] != ']' && b[n] != ':' && b[n] != '"' {
		n++
	}
	if n == 0 {
		return 0, errShape
	}
	return n, nil
}

// quoted returns the length of a text with its quotes.
func quoted(b []byte) (int, error) {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++ // whatever it is, it does not end the text
		case '"':
			return i + 1, nil
		}
	}
	return 0, errShape
}

// nested returns the length of an object or array.
func nested(b []byte) (int, error) {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n, err := quoted(b[i:])
			if err != nil {
				return 0, err
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
	}
	return 0, errShape
}
