# Three rows, three questions: is it working, how late is it, what did it find.
resource "aws_cloudwatch_dashboard" "dashboard" {
  dashboard_name = "${var.name}-${local.region}"

  dashboard_body = jsonencode({
    widgets = [
      {
        type   = "alarm"
        x      = 0
        y      = 0
        width  = 6
        height = 6
        properties = {
          title = "Is it working?"
          alarms = concat(
            [
              aws_cloudwatch_metric_alarm.alarm["SilenceAlarm"].arn,
              aws_cloudwatch_metric_alarm.alarm["DeadLetterAlarm"].arn,
              aws_cloudwatch_metric_alarm.alarm["ErrorAlarm"].arn,
              aws_cloudwatch_metric_alarm.alarm["ThrottleAlarm"].arn,
              aws_cloudwatch_metric_alarm.alarm["AgeAlarm"].arn,
              aws_cloudwatch_metric_alarm.alarm["LatencyAlarm"].arn,
              aws_cloudwatch_metric_alarm.alarm["UndeliveredAlarm"].arn,
              aws_cloudwatch_metric_alarm.alarm["ArchiveAlarm"].arn,
            ],
            local.has_notices ? [aws_cloudwatch_metric_alarm.alarm["UndeliveredNoticeAlarm"].arn] : [],
          )
        }
      },
      {
        type   = "metric"
        x      = 6
        y      = 0
        width  = 6
        height = 6
        properties = {
          title  = "Deliveries and records read"
          region = local.region
          stat   = "Sum"
          period = 300
          metrics = [
            [var.metrics_namespace, "Deliveries", "FunctionName", aws_lambda_function.function.function_name],
            [".", "Completed", ".", "."],
            [".", "Skipped", ".", "."],
            [".", "Records", ".", ".", { yAxis = "right" }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 12
        y      = 0
        width  = 6
        height = 6
        properties = {
          title  = "What failed"
          region = local.region
          stat   = "Sum"
          period = 300
          metrics = [
            [var.metrics_namespace, "Rejected", "FunctionName", aws_lambda_function.function.function_name],
            [".", "Failed", ".", "."],
            [".", "Unarchived", ".", "."],
            [".", "NoticesFailed", ".", "."],
            ["AWS/Lambda", "Errors", ".", "."],
            [".", "Throttles", ".", "."],
            ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.dead_letter_queue.name, { label = "Dead letters", stat = "Maximum" }],
            ["AWS/SNS", "NumberOfNotificationsFailed", "TopicName", aws_sns_topic.signal_topic.name, { label = "Undelivered" }],
          ]
        }
      },
      {
        type   = "log"
        x      = 18
        y      = 0
        width  = 6
        height = 6
        properties = {
          title  = "Why"
          region = local.region
          view   = "table"
          query  = "SOURCE '${aws_cloudwatch_log_group.function_log_group.name}' | filter message = \"failed\" | stats count(*) as times by retry, reason | sort times desc"
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = 6
        width  = 8
        height = 6
        properties = {
          title  = "How late: from the call to the signal (s)"
          region = local.region
          period = 900
          annotations = {
            horizontal = [
              { label = "target", value = var.latency_target },
            ]
          }
          metrics = [
            [var.metrics_namespace, "CallToSignal", "FunctionName", aws_lambda_function.function.function_name, { stat = "p50" }],
            ["...", { stat = "p90" }],
            ["...", { stat = "Maximum" }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 8
        y      = 6
        width  = 8
        height = 6
        properties = {
          title  = "How late: from the delivery to the signal (s)"
          region = local.region
          period = 900
          metrics = [
            [var.metrics_namespace, "DeliveryToSignal", "FunctionName", aws_lambda_function.function.function_name, { stat = "p50" }],
            ["...", { stat = "p90" }],
            ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.queue.name, { label = "Oldest waiting", stat = "Maximum" }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 16
        y      = 6
        width  = 8
        height = 6
        properties = {
          title  = "How hard it works"
          region = local.region
          period = 300
          metrics = [
            [var.metrics_namespace, "BytesIn", "FunctionName", aws_lambda_function.function.function_name, { stat = "Sum" }],
            [".", "BytesInflated", ".", ".", { stat = "Sum" }],
            ["AWS/Lambda", "Duration", ".", ".", { stat = "p90", yAxis = "right" }],
          ]
        }
      },
      {
        type   = "metric"
        x      = 0
        y      = 12
        width  = 24
        height = 6
        properties = {
          title  = "What did it find?"
          region = local.region
          stat   = "Sum"
          period = 3600
          metrics = [
            [var.metrics_namespace, "Matched", "FunctionName", aws_lambda_function.function.function_name],
            [".", "Signals", ".", "."],
            [".", "Published", ".", "."],
            [".", "Suppressed", ".", "."],
            [".", "Duplicates", ".", "."],
            [".", "Notices", ".", "."],
            [".", "Known", ".", "."],
          ]
        }
      },
    ]
  })
}
