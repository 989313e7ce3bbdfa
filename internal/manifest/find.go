package manifest

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// find returns the node that a path such as "stages[2].exclude.latency" names,
// or the deepest one on the way there: a missing field has no node of its own.
// Keys may hold dots, so the longest key that fits is taken.
func find(node ast.Node, path string) ast.Node {
	for path != "" {
		next, rest := step(node, path)
		if next == nil {
			return node
		}
		node, path = next, strings.TrimPrefix(rest, ".")
	}
	return node
}

// Text returns the word or number at a path, "" when there is none: what the
// door asks of a document of any kind before a room decodes it.
func (d Document) Text(path string) string {
	node := d.at(path)
	if _, scalar := node.(ast.ScalarNode); !scalar || node.Type() == ast.NullType {
		return ""
	}
	return text(node)
}

func step(node ast.Node, path string) (ast.Node, string) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return key(n, path)
	case *ast.SequenceNode:
		return index(n, path)
	}
	return nil, path
}

func key(n *ast.MappingNode, path string) (found ast.Node, rest string) {
	best := -1
	for _, v := range n.Values {
		name := text(v.Key)
		tail, ok := strings.CutPrefix(path, name)
		if ok && len(name) > best && (tail == "" || tail[0] == '.' || tail[0] == '[') {
			best, found, rest = len(name), v.Value, tail
		}
	}
	return found, rest
}

func index(n *ast.SequenceNode, path string) (ast.Node, string) {
	inside, ok := strings.CutPrefix(path, "[")
	if !ok {
		return nil, path
	}
	digits, rest, _ := strings.Cut(inside, "]")
	i, err := strconv.Atoi(digits)
	if err != nil || i < 0 || i >= len(n.Values) {
		return nil, path
	}
	return n.Values[i], rest
}

// Keys returns the names of the fields at a path, as they were written; none
// where there is a list, a single word or nothing.
func (d Document) Keys(path string) (names []string) {
	if m, ok := d.at(path).(*ast.MappingNode); ok {
		for _, v := range m.Values {
			names = append(names, text(v.Key))
		}
	}
	return names
}

// at returns the node that a path names, nil when there is none.
func (d Document) at(path string) ast.Node {
	var node ast.Node = d.body
	for path != "" {
		next, rest := step(node, path)
		if next == nil {
			return nil
		}
		node, path = next, strings.TrimPrefix(rest, ".")
	}
	return node
}

// Count returns how many items or fields there are at a path, 0 when there is
// none or a single word.
func (d Document) Count(path string) int {
	switch n := d.at(path).(type) {
	case *ast.MappingNode:
		return len(n.Values)
	case *ast.SequenceNode:
		return len(n.Values)
	}
	return 0
}
