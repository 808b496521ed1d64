package stack

import (
	"context"
	"errors"
	"fmt"

	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
)

// tokenChecker lets the Glance box ask Keystone about tokens. The verifier is asked for late, because its
// session connects after Glance has started.
type tokenChecker struct{ verifier func() authn.Verifier }

// Check implements imagetest.TokenChecker.
func (c tokenChecker) Check(ctx context.Context, token string) (imagetest.Caller, error) {
	id, err := c.verifier().Verify(ctx, token)
	if errors.Is(err, authn.ErrUnavailable) {
		return imagetest.Caller{}, fmt.Errorf("%w: %w", image.ErrUnavailable, err)
	}
	if err != nil {
		return imagetest.Caller{}, err
	}
	return imagetest.Caller{ProjectID: id.ProjectID, Roles: id.Roles}, nil
}
