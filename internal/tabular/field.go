package tabular

import "fmt"

// Field is where a value of an event comes from: the same for every row, or a
// column.
type Field struct {
	Text   string // what every row has; used without a Column
	Column string

	at int // of the column among the mapping's; set by Validate
}

// UnmarshalYAML reads {column: amount}, or a value that every row has.
func (f *Field) UnmarshalYAML(unmarshal func(any) error) error {
	var value any
	if err := unmarshal(&value); err != nil {
		return err
	}
	if _, ok := value.(map[string]any); ok {
		var from struct {
			Column string `yaml:"column"`
		}
		err := unmarshal(&from)
		f.Column = from.Column
		return err
	}
	if value != nil {
		f.Text = fmt.Sprint(value)
	}
	return nil
}

// set reports whether the mapping says anything of the field.
func (f Field) set() bool { return f.Text != "" || f.Column != "" }

// of returns the field's value in a row; "" is none.
func (f Field) of(cells []string) string {
	if f.Column == "" {
		return f.Text
	}
	return cells[f.at]
}

// path names the field for a message about a row.
func (f Field) path(name string) string {
	if f.Column == "" {
		return name
	}
	return "column " + f.Column
}
