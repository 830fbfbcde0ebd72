"""Who may do what: callers, their scopes, and the keys that programs come with."""
