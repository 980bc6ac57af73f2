"""A double of a shop's REST Admin API in Shopify's shape."""
