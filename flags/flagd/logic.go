package flagd

// logic is JSONLogic as encoding/json writes it: map[string]any with one
// operator, a list, or a value.
type logic = any

func op(name string, args ...logic) logic { return map[string]any{name: args} }

// variable reads an attribute.
func variable(name string) logic { return map[string]any{"var": name} }

// and, or and not leave out what changes nothing, so that documents stay
// readable.
func and(parts ...logic) logic { return joined("and", true, parts) }
func or(parts ...logic) logic  { return joined("or", false, parts) }

func joined(name string, empty bool, parts []logic) logic {
	var kept []logic
	for _, p := range parts {
		switch p {
		case empty:
			continue
		case !empty:
			return !empty
		}
		if m, _ := p.(map[string]any); m[name] != nil {
			kept = append(kept, m[name].([]any)...)
			continue
		}
		kept = append(kept, p)
	}
	switch len(kept) {
	case 0:
		return empty
	case 1:
		return kept[0]
	}
	return op(name, kept...)
}

func not(part logic) logic {
	if is, constant := part.(bool); constant {
		return !is
	}
	return op("!", part)
}

func same(a, b logic) logic  { return op("===", a, b) }
func other(a, b logic) logic { return op("!==", a, b) }

// isText is true for texts alone: starts_with gives null for anything else.
func isText(v logic) logic { return op("starts_with", v, "") }

// isWord is true for texts that are not empty.
func isWord(v logic) logic { return and(isText(v), other(v, "")) }

// isNumber is true for numbers alone: a list or object is not even equal to
// itself, and everything else is excluded by name.
func isNumber(v logic) logic {
	return and(not(isText(v)), other(v, nil), other(v, true), other(v, false), op("<=", v, v))
}

// isScalar is true for texts, numbers and booleans.
func isScalar(v logic) logic {
	return or(isText(v), same(v, true), same(v, false), isNumber(v))
}

// isOne is true when v is one of the texts.
func isOne(v logic, texts []string) logic {
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = s
	}
	return and(isText(v), op("in", v, list))
}
