package ovsdb

// Op is one operation of a transaction, RFC 7047 section 5.2.
type Op map[string]any

// Row is a table row, or some columns of one.
type Row map[string]any

// Select reads columns of the rows that match.
func Select(table string, where []any, columns ...string) Op {
	return Op{"op": "select", "table": table, "where": where, "columns": columns}
}

// Insert adds a row; other operations of the transaction name it by Named(name).
func Insert(table, name string, row Row) Op {
	return Op{"op": "insert", "table": table, "uuid-name": name, "row": row}
}

// Update sets columns of the rows that match.
func Update(table string, where []any, row Row) Op {
	return Op{"op": "update", "table": table, "where": where, "row": row}
}

// Delete deletes the rows that match.
func Delete(table string, where []any) Op {
	return Op{"op": "delete", "table": table, "where": where}
}

// Mutate changes columns of the rows that match, each mutation a Mutation.
func Mutate(table string, where []any, mutations ...any) Op {
	return Op{"op": "mutate", "table": table, "where": where, "mutations": mutations}
}

// WaitUntilNot blocks in the server until the columns of the row differ from row, at most timeout milliseconds.
func WaitUntilNot(table string, where []any, row Row, timeout int) Op {
	columns := make([]string, 0, len(row))
	for column := range row {
		columns = append(columns, column)
	}
	return Op{"op": "wait", "table": table, "where": where, "columns": columns, "until": "!=", "rows": []any{row}, "timeout": timeout}
}

// Equal is the condition that a column has a value.
func Equal(column string, value any) []any { return []any{[]any{column, "==", value}} }

// All is the condition every row meets.
func All() []any { return []any{} }

// Mutation changes one column: Mutation("ports", "insert", set).
func Mutation(column, mutator string, value any) any { return []any{column, mutator, value} }

// Named refers to a row inserted in the same transaction.
func Named(name string) any { return []any{"named-uuid", name} }

// UUID refers to a row by its _uuid.
func UUID(id string) any { return []any{"uuid", id} }

// Set is a set of atoms.
func Set(values ...any) any {
	if values == nil {
		values = []any{}
	}
	return []any{"set", values}
}

// Map is a map of strings.
func Map(m map[string]string) any {
	pairs := make([]any, 0, len(m))
	for k, v := range m {
		pairs = append(pairs, []any{k, v})
	}
	return []any{"map", pairs}
}
