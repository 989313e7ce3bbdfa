package flags

// Operator compares an attribute of the context with the values of a
// condition. A condition about an attribute that is absent or null is never
// met, whatever the operator, except IsNotSet. When the attribute is a list,
// an operator is met if it is met by any element, and a negated operator if
// its positive twin is met by none.
type Operator string

// The operators.
const (
	Eq           Operator = "eq"           // one text, number or boolean
	Ne           Operator = "ne"           //
	Lt           Operator = "lt"           // one number
	Lte          Operator = "lte"          //
	Gt           Operator = "gt"           //
	Gte          Operator = "gte"          //
	In           Operator = "in"           // several texts, numbers, booleans
	NotIn        Operator = "not_in"       //
	Contains     Operator = "contains"     // several texts: any of them
	NotContains  Operator = "not_contains" // none of them
	StartsWith   Operator = "starts_with"  // several texts
	EndsWith     Operator = "ends_with"    //
	Regex        Operator = "regex"        // several expressions in RE2's syntax
	NotRegex     Operator = "not_regex"    //
	IsSet        Operator = "is_set"       // no value
	IsNotSet     Operator = "is_not_set"   //
	SemverEq     Operator = "semver_eq"    // one version: 1.2.3, v1.2, 2.0.0-rc.1
	SemverNe     Operator = "semver_ne"    //
	SemverLt     Operator = "semver_lt"    //
	SemverLte    Operator = "semver_lte"   //
	SemverGt     Operator = "semver_gt"    //
	SemverGte    Operator = "semver_gte"   //
	Before       Operator = "before"       // one Date; the attribute is a date or Unix time
	After        Operator = "after"        //
	CIDR         Operator = "cidr"         // several address ranges: 10.0.0.0/8
	Modulo       Operator = "modulo"       // two numbers: divisor and remainder
	InSegment    Operator = "segment"      // names of segments
	NotInSegment Operator = "not_segment"  //
	InBucket     Operator = "bucket"       // two places: the range in which that of Hash lies, its end excluded
)

// trait says what an operator asks of its values and how it is compiled.
type trait struct {
	build   func(Operator, []any, bool) (test, fault) // nil: needs no values
	values  int                                       // how many; some: one or more
	text    bool                                      // ignoreCase has a meaning
	negated bool                                      // the twin of a positive operator
}

const some = -1

// trait returns what is asked of o, false when there is no such operator.
func (o Operator) trait() (trait, bool) {
	switch o {
	case Eq, Ne:
		return trait{equal, 1, true, o == Ne}, true
	case In, NotIn:
		return trait{equal, some, true, o == NotIn}, true
	case Lt, Lte, Gt, Gte:
		return trait{order, 1, false, false}, true
	case Contains, NotContains, StartsWith, EndsWith:
		return trait{part, some, true, o == NotContains}, true
	case Regex, NotRegex:
		return trait{pattern, some, true, o == NotRegex}, true
	case SemverEq, SemverNe, SemverLt, SemverLte, SemverGt, SemverGte:
		return trait{versioned, 1, false, o == SemverNe}, true
	case Before, After:
		return trait{dated, 1, false, false}, true
	case CIDR:
		return trait{ranged, some, false, false}, true
	case Modulo:
		return trait{modulo, 2, false, false}, true
	case IsSet, IsNotSet:
		return trait{nil, 0, false, o == IsNotSet}, true
	case InSegment, NotInSegment:
		return trait{nil, some, false, o == NotInSegment}, true
	case InBucket:
		return trait{nil, 2, false, false}, true
	}
	return trait{}, false
}

// known lists the operators for whoever wrote one that there is not.
const known = "use one of eq, ne, lt, lte, gt, gte, in, not_in, contains, not_contains, starts_with, ends_with, regex, not_regex, " +
	"is_set, is_not_set, semver_eq, semver_ne, semver_lt, semver_lte, semver_gt, semver_gte, before, after, cidr, modulo, segment, not_segment, bucket"
