// Package recipe holds the recipes that ship with the product, each a folder
// with a recipe.json: what a person may set, what is run, what comes out.
package recipe

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"

	"github.com/adjudge/adjudge/backend/training"
)

//go:embed */recipe.json
var shipped embed.FS

// Shipped returns the recipes of this build, ordered by name.
func Shipped() (training.Book, error) { return read(shipped) }

func read(files fs.FS) (training.Book, error) {
	paths, err := fs.Glob(files, "*/recipe.json")
	if err != nil {
		return nil, err
	}
	var book training.Book
	for _, path := range paths {
		raw, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, err
		}
		var r training.Recipe
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if err := r.Validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		book = append(book, r)
	}
	return book, nil
}
