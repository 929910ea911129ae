# What rules remember. Without it, they would learn again, and report nothing until they have.
resource "aws_dynamodb_table" "memory_table" {
  count = local.own_memory ? 1 : 0

  name         = "${var.name}-memory"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "key"

  attribute {
    name = "key"
    type = "S"
  }

  ttl {
    attribute_name = "expires"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  # DynamoDB encrypts every table. This selects a key of your own.
  dynamic "server_side_encryption" {
    for_each = local.has_signal_kms_key ? [1] : []

    content {
      enabled     = true
      kms_key_arn = var.signal_kms_key_arn
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

# ---- Accounts whose deliveries stop ----

resource "aws_scheduler_schedule" "silence_schedule" {
  count = local.watches_accounts ? 1 : 0

  name_prefix = local.prefix
  description = "Has the function look for accounts whose deliveries have stopped."
  # Fifteen minutes past the hour, when the calls made in that hour have been delivered.
  schedule_expression = "cron(15 * * * ? *)"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.function.arn
    role_arn = aws_iam_role.silence_schedule_role[0].arn
    # The same time for every attempt: a retried check decides in the same way. jsonencode would escape the brackets.
    input = "{\"check\":\"silence\",\"time\":\"<aws.scheduler.scheduled-time>\"}"

    # The next check comes within the hour and finds the same.
    retry_policy {
      maximum_retry_attempts       = 10
      maximum_event_age_in_seconds = 3600
    }
  }
}

resource "aws_iam_role" "silence_schedule_role" {
  count = local.watches_accounts ? 1 : 0

  name_prefix = local.prefix

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "scheduler.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
    ]
  })
}

resource "aws_iam_role_policy" "silence_schedule_role" {
  count = local.watches_accounts ? 1 : 0

  name = "check-for-silence"
  role = aws_iam_role.silence_schedule_role[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "InvokeFunction"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = aws_lambda_function.function.arn
      },
    ]
  })
}
