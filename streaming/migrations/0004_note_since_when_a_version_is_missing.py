from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming", "0003_index_what_prune_and_the_tick_read")]

    operations = [
        migrations.AddField(
            model_name="streamversion",
            name="missing_since",
            field=models.DateTimeField(
                help_text="When its provider's complete answers began to leave it out.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="streamversion",
            index=models.Index(fields=["missing_since"], name="version_by_absence"),
        ),
    ]
