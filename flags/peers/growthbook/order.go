package growthbook

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// decimal is a number as JSON, JavaScript and Go read it alike.
var decimal = regexp.MustCompile(`^-?\d{1,15}(\.\d{1,15})?$`)

// ordered compares with a text: texts by their letters, and numbers with the
// number that the text is written like. Letters beyond ASCII have another order
// in each SDK.
func (im *importer) ordered(name, op, text string) (peers.Cond, error) {
	_, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case text == "" || len(text) > longest || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }):
		return peers.Never, fmt.Errorf("condition.%s.%s compares by the order of letters with what is not 1 to %d of ASCII", name, op, longest)
	case !decimal.MatchString(text) && (err == nil || text[0] == '0' && len(text) > 1 && !isDigit(text[1])):
		return peers.Never, fmt.Errorf("condition.%s.%s compares with a number that SDKs read in two ways: %q", name, op, text)
	}
	is := peers.Test(name, flags.Regex, letters(orders[op], text))
	if err != nil {
		return is, nil
	}
	number, _ := strconv.ParseFloat(text, 64)
	is = peers.Or(is, peers.Test(name, orders[op], number))
	if zero(op, number) {
		is = peers.Or(is, peers.Test(name, flags.IsNotSet))
	}
	return is, nil
}

// longest bounds an expression's depth.
const longest = 100

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// letters is an expression that matches the texts before or behind another one
// in the order of their letters: those that have its first letters, and then one
// that is smaller or greater.
func letters(op flags.Operator, text string) string {
	less := op == flags.Lt || op == flags.Lte
	end := map[flags.Operator]string{flags.Lt: `[^\x00-\x{10ffff}]`, flags.Lte: `\z`, flags.Gt: `[\s\S]`, flags.Gte: ``}[op]
	for i := len(text) - 1; i >= 0; i-- {
		letter := text[i]
		if less {
			end = fmt.Sprintf(`(?:\z|[\x00-\x%02x]|%s%s)`, letter-1, quoted(letter), end)
		} else {
			end = fmt.Sprintf(`(?:[\x%02x-\x{10ffff}]|%s%s)`, letter+1, quoted(letter), end)
		}
	}
	return `\A` + end
}

func quoted(letter byte) string { return regexp.QuoteMeta(string(rune(letter))) }
