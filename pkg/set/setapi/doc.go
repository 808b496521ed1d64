// Package setapi carries both contracts of package set over HTTP: for each a handler that serves any
// implementation and a client that is one. Whoever holds a set.Controller or a set.Agent cannot tell
// whether it is in the same process; the suites of set/settest run on both.
//
// Tenant side, one resource per record:
//
//	POST   /v1/servers               create, 202 with a task; Idempotency-Key honoured
//	GET    /v1/servers               page of servers: name, status, label, limit, marker
//	GET    /v1/servers/{ref}         one server, by id or name
//	POST   /v1/servers/{ref}/action  {"verb":"stop"}, 202 with a task
//	DELETE /v1/servers/{ref}         202 with a task
//	POST   /v1/batches               create many of one spec: one plan, 202 with a task or a fault for each
//	POST   /v1/services              create a service, 202 with a task
//	GET    /v1/services              the project's services
//	GET    /v1/services/{ref}        one service, by id or name
//	POST   /v1/services/{ref}/scale  {"replicas":3}, 202 with a task
//	DELETE /v1/services/{ref}        with all its servers, 202 with a task
//	GET    /v1/tasks/{id}            one task; ?after=REVISION waits for a newer version
//
// Host side:
//
//	PUT    /v1/assignments/{id}          apply
//	GET    /v1/assignments               observe, ?id= as often as wanted
//	GET    /v1/assignments/watch         every server, then each change: JSON lines, blank lines as heartbeat
//	DELETE /v1/assignments/{id}?epoch=N  remove
//
// The package checks no tokens: the handlers are mounted behind a middleware, and the tenant handler
// asks its Resolver for the Controller of the caller of each request.
package setapi
