package spreadsidecar

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
)

type environmentCases struct {
	Files map[string]string `json:"files"`
	Cases []environmentCase `json:"cases"`
}

type environmentCase struct {
	Name        string            `json:"name"`
	Environment map[string]string `json:"environment"`
	Given       struct {
		Target string `json:"target"`
		Token  string `json:"token"`
	} `json:"given"`
	Expected *plainOptions `json:"expected"`
	Error    struct{ At, Field, Message string }
}

// plainOptions has the options that the shared cases compare.
type plainOptions struct {
	Target   string    `json:"target"`
	TLS      *plainTLS `json:"tls"`
	Token    *string   `json:"token"`
	Insecure bool      `json:"insecure"`
}

type plainTLS struct{ CA, Cert, Key, ServerName *string }

func sharedEnvironment(t *testing.T) environmentCases {
	t.Helper()
	text, err := os.ReadFile("../../test/conformance/environment.json")
	if err != nil {
		t.Fatal(err)
	}
	var shared environmentCases
	if err := json.Unmarshal(text, &shared); err != nil {
		t.Fatal(err)
	}
	if len(shared.Cases) == 0 {
		t.Fatal("no cases")
	}
	return shared
}

func textOrNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// plain reads the token in the same way as a call.
func plain(t *testing.T, options Options, fromPEM *pemTLS) (plainOptions, error) {
	t.Helper()
	p := plainOptions{Target: options.Target, Token: textOrNil(options.Token), Insecure: options.Insecure}
	if p.Target == "" {
		p.Target = DefaultTarget
	}
	if fromPEM != nil {
		p.TLS = &plainTLS{
			textOrNil(string(fromPEM.ca)), textOrNil(string(fromPEM.cert)), textOrNil(string(fromPEM.key)),
			textOrNil(fromPEM.serverName),
		}
	}
	if options.TokenSource != nil {
		token, err := options.TokenSource(t.Context())
		if err != nil {
			return p, err
		}
		p.Token = &token
	}
	return p, nil
}

func TestOptionsFromTheEnvironment(t *testing.T) {
	shared := sharedEnvironment(t)
	for _, one := range shared.Cases {
		t.Run(one.Name, func(t *testing.T) {
			folder := t.TempDir()
			for name, text := range shared.Files {
				if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			environment := func(name string) string { return strings.ReplaceAll(one.Environment[name], "FOLDER", folder) }
			given := Options{Target: one.Given.Target, Token: one.Given.Token}
			var got plainOptions
			var err error
			if one.Error.At == "connect" {
				for name := range one.Environment {
					t.Setenv(name, environment(name))
				}
				_, err = New(given)
			} else {
				options, fromPEM, failure := completeOptions(given, environment)
				if failure != nil {
					t.Fatal(failure)
				}
				got, err = plain(t, options, fromPEM)
			}
			if one.Expected != nil {
				if err != nil || !reflect.DeepEqual(got, *one.Expected) {
					t.Errorf("got %+v, %v; expected %+v", got, err, *one.Expected)
				}
				return
			}
			var failure *SpreadError
			if !errors.As(err, &failure) || failure.Reason != ErrFieldInvalid {
				t.Fatal(err)
			}
			if !strings.Contains(failure.Message, one.Error.Message) {
				t.Error(failure.Message)
			}
			if one.Error.Field != "" && failure.Metadata["field"] != one.Error.Field {
				t.Error(failure.Metadata)
			}
		})
	}
}

func TestChannelsReadTheEnvironment(t *testing.T) {
	f := startFake(t, nil)
	token := filepath.Join(t.TempDir(), "token")
	t.Setenv(targetVariable, f.target)
	t.Setenv(tokenFileVariable, token)
	sidecar, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sidecar.Close()
	if sidecar.Target() != f.target {
		t.Error(sidecar.Target())
	}
	for _, secret := range []string{"one", "two"} {
		if err := os.WriteFile(token, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, err := range sidecar.ListMailboxes(t.Context(), ListOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		f.mu.Lock()
		last := f.tokens[len(f.tokens)-1]
		f.mu.Unlock()
		if last != "Bearer "+secret {
			t.Error(last)
		}
	}
	if err := os.Remove(token); err != nil {
		t.Fatal(err)
	}
	_, err = sidecar.Version(t.Context())
	var failure *SpreadError
	if !errors.As(err, &failure) || failure.Status != codes.Unauthenticated || failure.Outcome != OutcomeNotSent ||
		!strings.Contains(failure.Message, tokenFileVariable) || !strings.Contains(failure.Message, token) {
		t.Error(err)
	}
}

func TestMistakesInTheEnvironment(t *testing.T) {
	folder := t.TempDir()
	key := filepath.Join(folder, "key.pem")
	if err := os.WriteFile(key, []byte("the key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		environment map[string]string
		field       string
	}{
		{map[string]string{targetVariable: "http://sidecar.example"}, targetVariable},
		{map[string]string{keyVariable: key}, "tls"},
		{map[string]string{targetVariable: "sidecar.example:4813", tokenFileVariable: key}, "token"},
	} {
		t.Run(one.field, func(t *testing.T) {
			for name, value := range one.environment {
				t.Setenv(name, value)
			}
			_, err := New(Options{})
			var failure *SpreadError
			if !errors.As(err, &failure) || failure.Reason != ErrFieldInvalid || failure.Metadata["field"] != one.field {
				t.Error(err)
			}
		})
	}
}
