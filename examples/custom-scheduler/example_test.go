package main

func Example() {
	main()
	// Output:
	// set-0 goes to large
	// set-1 goes to large
	// set-2 goes to large
	// set-3 goes to small
	// set-4 goes to large
	// set-5 goes to small
}
