"""A shop with Shopify's REST Admin API: orders, their lines, products with costs, customers."""
