"""The domain: events, their fold into rows, and the KPIs declared over rows. Knows no broker and no database client."""
