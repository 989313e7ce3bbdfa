package manifest

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. The parser's time grows with the square of some of them,
// and nothing of ours comes near.
const (
	maxDepth  = 64      // levels of nesting
	maxTokens = 100_000 // words and marks
	maxFields = 4_000   // of a file, "name: value"
)

// read cuts a file into tokens, refuses what would cost the parser more than a
// file can be worth, and returns the tokens of each document. The parser is
// given one document at a time, because it drops a document that follows an
// empty one.
func read(source string) ([]token.Tokens, error) {
	all := lexer.Tokenize(source)
	if err := bounded(all); err != nil {
		return nil, err
	}
	var docs []token.Tokens
	var doc token.Tokens
	for _, t := range joined(all) {
		if t.Type == token.DocumentHeaderType {
			docs = append(docs, linked(doc))
			doc = nil
			continue
		}
		doc = append(doc, t)
	}
	return append(docs, linked(doc)), nil
}

// bounded refuses a file that is too large for the parser, and YAML that
// stands for more than is written: an alias can stand for a gigabyte.
func bounded(all token.Tokens) error {
	if len(all) > maxTokens {
		return &Error{Text: fmt.Sprintf("the file has more than %d words and marks; write several files", maxTokens)}
	}
	var n nesting
	fields := 0
	for _, t := range all {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return at(t, "anchors (&), aliases (*) and merges (<<) are not read; write out what they stand for")
		case token.TagType, token.DirectiveType:
			return at(t, "tags (!) and directives (%) are not read; leave them out")
		case token.MappingValueType:
			fields++
		}
		if fields > maxFields {
			return at(t, fmt.Sprintf("the file has more than %d fields; write several files", maxFields))
		}
		if n.next(t) > maxDepth {
			return at(t, fmt.Sprintf("the file nests deeper than %d levels", maxDepth))
		}
	}
	return nil
}

// nesting counts how deep a token stands: brackets, and columns of blocks.
type nesting struct {
	brackets int
	columns  []int
}

func (n *nesting) next(t *token.Token) int {
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		n.brackets++
	case token.SequenceEndType, token.MappingEndType:
		n.brackets--
	case token.SequenceEntryType, token.MappingKeyType:
		n.block(t.Position.Column)
	default:
		if t.NextType() == token.MappingValueType {
			n.block(t.Position.Column)
		}
	}
	return n.brackets + len(n.columns)
}

func (n *nesting) block(column int) {
	if n.brackets > 0 {
		return
	}
	for len(n.columns) > 0 && n.columns[len(n.columns)-1] >= column {
		n.columns = n.columns[:len(n.columns)-1]
	}
	n.columns = append(n.columns, column)
}

// joined puts words with a colon inside together again. In {ticket: https://…}
// and {notify: [webhook:release]} YAML's colon makes a field only before a
// space or a mark; the lexer makes one of every colon between braces.
func joined(all token.Tokens) token.Tokens {
	out := all[:0:0]
	for i := 0; i < len(all); i++ {
		t := all[i]
		if t.Type == token.MappingValueType && len(out) > 0 && i+1 < len(all) && adjacent(out[len(out)-1], all[i+1]) {
			before, after := out[len(out)-1], all[i+1]
			out[len(out)-1] = token.New(before.Value+":"+after.Value, before.Origin+":"+after.Origin, before.Position)
			i++
			continue
		}
		out = append(out, t)
	}
	return out
}

// adjacent reports whether two plain words touch the colon between them.
func adjacent(before, after *token.Token) bool {
	const blank = " \t\r\n"
	return plain(before) && plain(after) && before.Position.Line == after.Position.Line &&
		strings.TrimRight(before.Origin, blank) == before.Origin && strings.TrimLeft(after.Origin, blank) == after.Origin
}

// plain reports whether a token is a word without quotes.
func plain(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.IntegerType, token.FloatType, token.BoolType, token.NullType,
		token.BinaryIntegerType, token.OctetIntegerType, token.HexIntegerType:
		return true
	}
	return false
}

// linked makes a list of its own out of tokens.
func linked(tokens token.Tokens) token.Tokens {
	for i, t := range tokens {
		t.Prev, t.Next = nil, nil
		if i > 0 {
			t.Prev, tokens[i-1].Next = tokens[i-1], t
		}
	}
	return tokens
}
