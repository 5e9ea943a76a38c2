"""A conditional variational autoencoder of actions given states."""
