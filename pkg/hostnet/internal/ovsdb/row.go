package ovsdb

// Text is a string column; "" when unset.
func (r Row) Text(column string) string {
	for _, v := range atoms(r[column]) {
		if s, ok := v.(string); ok {
			return s
		}
	}
	return ""
}

// Int is an integer column; 0 and false when unset.
func (r Row) Int(column string) (int, bool) {
	for _, v := range atoms(r[column]) {
		if f, ok := v.(float64); ok {
			return int(f), true
		}
	}
	return 0, false
}

// UUIDs is a column of references; one column may hold one or many.
func (r Row) UUIDs(column string) []string {
	var ids []string
	for _, v := range atoms(r[column]) {
		if pair, ok := v.([]any); ok && len(pair) == 2 && pair[0] == "uuid" {
			if id, ok := pair[1].(string); ok {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Strings is a column that maps strings to strings.
func (r Row) Strings(column string) map[string]string {
	m := map[string]string{}
	tagged, ok := r[column].([]any)
	if !ok || len(tagged) != 2 || tagged[0] != "map" {
		return m
	}
	pairs, _ := tagged[1].([]any)
	for _, p := range pairs {
		pair, ok := p.([]any)
		if !ok || len(pair) != 2 {
			continue
		}
		key, _ := pair[0].(string)
		m[key], _ = pair[1].(string)
	}
	return m
}

// atoms unpacks a set; a single value is a set of one (RFC 7047 section 5.1, <value>).
func atoms(v any) []any {
	if tagged, ok := v.([]any); ok && len(tagged) == 2 && tagged[0] == "set" {
		values, _ := tagged[1].([]any)
		return values
	}
	if v == nil {
		return nil
	}
	return []any{v}
}
