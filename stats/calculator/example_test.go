package calculator_test

import (
	"fmt"

	"github.com/sluice-hq/sluice/stats/calculator"
)

func ExampleAnswer() {
	out, err := calculator.Answer("srm", []byte(`{"observed": [5000, 5000, 300], "weights": [1, 1]}`))
	fmt.Println(string(out))
	fmt.Println(err)
	// Output:
	// {"error":{"code":"bad_input","field":"weights","message":"there is one weight for each arm"}}
	// weights: there is one weight for each arm
}
