"""Trains and scores the models that the keeper serves, from nothing but what `tiller dataset` wrote."""
