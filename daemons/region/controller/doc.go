// Package controller is the region: it accepts what tenants ask for, decides where it runs, tells the
// hosts, and keeps the records in step with what the hosts report.
//
// [Controller.For] gives the set.Controller of one caller. A create is validated, its images are resolved
// with the caller's token, a host is planned, and server, name, address and task are written in one
// transaction before the caller gets the task. Behind the answer one driver for each server talks to the
// host until the record is settled; a follower for each host feeds what set.Agent.Watch yields back into
// the records. Both start from the store, so a region that was killed goes on where it was.
//
// The scheduler is a value in [Config]: anything with the one method of [Planner].
package controller
