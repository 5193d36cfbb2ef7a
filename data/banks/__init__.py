"""The German bank registry in two independent models: real data, with figures computed apart from the product."""
