package command

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/image"
	imagedocker "github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/set"
)

// transfer is one push or pull through the local Docker Engine, with its progress.
func (a *app) transfer(c *cobra.Command, what, name string, do func(context.Context, *session, *imagedocker.Client, string, func(done, total int64)) error) error {
	s, err := a.session(c.Context())
	if err != nil {
		return err
	}
	address, scheme, err := s.registry()
	if err != nil {
		return err
	}
	engine, err := imagedocker.New(imagedocker.Config{Host: a.dockerHost, Registry: address, Scheme: scheme, TLS: s.tls})
	if err != nil {
		return imageErrors.Translate(err)
	}
	defer engine.Close()
	token, err := s.cloud.Token(c.Context())
	if err != nil {
		return authErrors.Translate(err)
	}
	p := newProgress(a.errOut)
	step := set.Step{Name: what + " " + name, State: set.StepRunning, StartedAt: time.Now()}
	err = do(c.Context(), s, engine, token, func(done, total int64) {
		step.Done, step.Total = done, total
		p.show(set.Task{Steps: []set.Step{step}})
	})
	step.State, step.EndedAt = set.StepDone, time.Now()
	if err != nil {
		step.State = set.StepFailed
	}
	p.show(set.Task{Steps: []set.Step{step}})
	p.close()
	return imageErrors.Translate(err)
}

func (a *app) imagePush() *cobra.Command {
	var as string
	c := &cobra.Command{Use: "push IMAGE", Short: "Push an image of the local Docker Engine", Example: "  moset image push web:v1\n  moset image push nginx:1.25 --as demo/nginx:1.25", Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&as, "as", "", "name in the registry (default: the image's own, in your project)")
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.transfer(c, "push", args[0], func(ctx context.Context, s *session, engine *imagedocker.Client, token string, progress func(done, total int64)) error {
			name := args[0]
			if as != "" {
				name = as
			}
			ref, err := image.ParseRef(name, s.project)
			if err != nil {
				return err
			}
			if ref.Tag == "" {
				return fmt.Errorf("%w: %s has no tag to push: give one with --as", image.ErrInvalid, name)
			}
			return engine.Push(ctx, args[0], imagedocker.Request{Repository: ref.Repo, Tag: ref.Tag, Token: token}, progress)
		})
	}
	return c
}

func (a *app) imagePull() *cobra.Command {
	c := &cobra.Command{Use: "pull IMAGE", Short: "Pull an image to the local Docker Engine and give it its name there", Args: cobra.ExactArgs(1)}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.transfer(c, "pull", args[0], func(ctx context.Context, s *session, engine *imagedocker.Client, token string, progress func(done, total int64)) error {
			ref, err := image.ParseRef(args[0], s.project)
			if err != nil {
				return err
			}
			id, err := engine.Pull(ctx, imagedocker.Request{Repository: ref.Repo, Tag: ref.Tag, Digest: ref.Digest.String(), Token: token}, progress)
			if err != nil || ref.Tag == "" {
				return err
			}
			return engine.Tag(ctx, id, ref.Repo+":"+ref.Tag)
		})
	}
	return c
}
