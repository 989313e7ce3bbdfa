package refs

import (
	"bytes"
	"path"
	"regexp"
	"strings"
)

// literals notes the keys that stand between quotes in a line, and the
// constants that are given one.
func (s *scanner) literals(file string, line int, text []byte) {
	for _, quote := range []byte{'"', '\'', '`'} {
		s.quoted(file, line, text, quote)
	}
}

// quoted looks at each piece of text after a quote, up to the next of its
// kind. Pieces overlap, since a line does not say which quotes open: a key has
// no quotes, so that a wrong piece is never one.
func (s *scanner) quoted(file string, line int, text []byte, quote byte) {
	for from := 0; ; {
		open := bytes.IndexByte(text[from:], quote)
		if open < 0 {
			return
		}
		from += open + 1
		end := bytes.IndexByte(text[from:], quote)
		if end < 0 {
			return
		}
		key := string(text[from : from+end])
		if !s.keys[key] {
			continue
		}
		s.found.References = append(s.found.References, Reference{Flag: key, Path: file, Line: line})
		s.constant(text[:from-1], key)
	}
}

// assigned is what stands before the quote of a constant's value, in the
// languages that are known: `ExpressPay = `, `EXPRESS_PAY: `, `expressPay :=`,
// `const ExpressPay string = `, `#define EXPRESS_PAY `.
var assigned = regexp.MustCompile(`(?:^|[^\w.])([A-Za-z_]\w{3,})\s*(?::\s*\w+\s*)?(?::?=|:|=>)\s*$|#define\s+(\w+)\s+$|(?:^|\s)([A-Za-z_]\w{3,})\s+string\s*=\s*$`)

// common are words before a quote that are no constant's name.
var common = map[string]bool{"flag": true, "flagKey": true, "name": true, "this": true, "value": true, "default": true, "string": true, "case": true, "return": true, "feature": true}

// constant notes a name that is given a flag's key. A name given two keys
// stands for neither.
func (s *scanner) constant(before []byte, key string) {
	m := assigned.FindSubmatch(before)
	if m == nil {
		return
	}
	name := string(bytes.Join(m[1:], nil))
	if common[name] {
		return
	}
	if other, ok := s.aliases[name]; ok && other != key {
		key = ""
	}
	s.aliases[name] = key
}

// word is a name in a program.
var word = regexp.MustCompile(`[A-Za-z_]\w*`)

// words notes the constants and aliases in a line.
func (s *scanner) words(file string, line int, text []byte) {
	for _, w := range word.FindAll(text, -1) {
		if flag := s.aliases[string(w)]; flag != "" {
			s.found.References = append(s.found.References, Reference{Flag: flag, Path: file, Line: line, Alias: string(w)})
		}
	}
}

// known reports whether a file is of a language that uses flags.
func known(name string) bool {
	return languages[strings.ToLower(path.Ext(name))]
}

var languages = setOf(".go .js .jsx .mjs .cjs .ts .tsx .mts .cts .vue .svelte .py .rb .java .kt .kts .scala .groovy .clj .cs .fs .vb .php .swift .m .mm " +
	".c .h .cc .cpp .cxx .hpp .rs .dart .ex .exs .erl .hs .lua .pl .pm .r .jl .sql .sh .bash .ps1 .html .htm .hbs .erb .jsp .razor .cshtml " +
	".yaml .yml .json .toml .properties .env .tf .gradle .graphql .proto")

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}
