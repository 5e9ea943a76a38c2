"""The methods: one file each, its fields beside its equations."""
