package spreadcontainer_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestTheREADMEShowsNothingButTests(t *testing.T) {
	var tests string
	for _, name := range []string{"sample_test.go", "sample_failures_test.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests += string(text)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) != 3 {
		t.Errorf("%d blocks", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(tests, block[1]) {
			t.Errorf("no test has this:\n%s", block[1])
		}
	}
}
