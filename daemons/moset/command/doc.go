// Package command is the moset command line: one client for images and for servers. Each noun has a
// file, each verb a function; main only calls Execute.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not authenticated or not allowed,
// 5 conflict or no capacity, 6 a service does not answer, 130 interrupted.
package command
